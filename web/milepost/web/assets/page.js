import{configure as Ue}from"./elements.js";import{pageParts as J}from"./elements.js";function d(s){return q().get(s)}function c(s,e){let t=q();e===void 0?t.delete(s):t.set(s,e);let o=t.toString(),r=location.pathname+location.search+(o&&`#${o}`);history.replaceState(history.state,"",r)}function q(){return new URLSearchParams(location.hash.slice(1))}import{pageParts as K}from"./elements.js";var{css:_}=K,m=_` nav{position: sticky;top: 0;z-index: 2;display: flex;align-items: center;gap: 8px;min-height: 45px;padding: 8px 24px;background: var(--_surface);border-bottom: 1px solid var(--_line);}nav a{color: inherit;text-decoration: none;}nav a:hover{text-decoration: underline;}:host{--milepost-log-height: max(300px,100vh - 460px);--milepost-list-height: max(300px,100vh - 220px);}main{max-width: 2200px;margin: 0 auto;padding: 16px 24px var(--below,24px);}nav > *{flex: none;}nav > .cut{flex: 0 1 auto;min-width: 0;}nav > .chip{flex: 0 1 auto;min-width: 0;margin-inline-start: auto;padding: 0 8px;border: 1px solid var(--_line);border-radius: 12px;line-height: 22px;}.chip .icon{color: var(--_muted);}nav > .chip.up{flex: none;}.chip.up .icon{color: var(--_good);}.chip.stale{border-color: var(--_warn);}.chip.stale .icon{color: var(--_warn);}.command{margin-inline-start: 8px;}.event{display: inline-flex;align-items: center;white-space: nowrap;}@media (max-width: 899px){.chip.stale ~ :is(.command,.event){display: none;}}@media (max-width: 639px){nav{padding: 8px 12px;}main{padding: 12px 12px var(--below,24px);}.command,.crumb,.event{display: none;}}`;import"./elements.js";var $=24,j=300,l=class{constructor(e,t,o,r){this.host=e;this.name=t;this.view=o;this.above=r;e.addController(this)}#e=0;#o=new ResizeObserver(()=>{this.#t()});hostConnected(){addEventListener("scroll",this.#t,{passive:!0}),addEventListener("resize",this.#t)}hostUpdated(){let e=this.host.renderRoot.querySelector("main");e&&this.#o.observe(e)}hostDisconnected(){removeEventListener("scroll",this.#t),removeEventListener("resize",this.#t),this.#o.disconnect(),cancelAnimationFrame(this.#e)}#t=()=>{cancelAnimationFrame(this.#e),this.#e=requestAnimationFrame(this.#s)};#s=()=>{let e=this.view(),{style:t}=this.host,o=e?innerHeight-e.getBoundingClientRect().top-$:0,r=this.above===void 0?1/0:Math.max(innerHeight-this.above-$,j),i=Math.floor(Math.min(Math.max(o,j),r));e&&t.setProperty(this.name,`${i}px`);let n=e!=null&&r<1/0&&e.scrollHeight>i;t.setProperty("--below",`${$+(n?r-i:0)}px`)}};var{LitElement:H,html:a,nothing:p,serverAt:z,ticker:B,absenceText:V,chipIcon:D,chipOf:W,grouped:N,oneLine:w,jobLook:G,titleOf:Y,sharedStyles:Q,Keyboard:X,isForeignKey:Z,wholePercent:ee,isKnown:te}=J,oe=112;function se(s){let e=s.split("/").at(-1)??"";try{return decodeURIComponent(e)}catch{return e}}function u(s){let e=Number(d(s));return Number.isSafeInteger(e)?Math.max(e,0):0}var f=class extends H{static styles=[Q,m];#e=z().job(se(location.pathname));#o=new X;#t=u("line");#s=u("event");#r=[];constructor(){super();let e=()=>(this.#i?.logView??this.#i?.eventsView)?.renderRoot.querySelector(".view");new l(this,"--milepost-log-height",e,oe)}connectedCallback(){super.connectedCallback();let e=()=>{this.requestUpdate()};this.#r=[this.#e.subscribe(e),B.add(e)],document.addEventListener("keydown",this.#p),addEventListener("hashchange",this.#n)}disconnectedCallback(){super.disconnectedCallback();for(let e of this.#r)e();document.removeEventListener("keydown",this.#p),removeEventListener("hashchange",this.#n)}render(){let e=this.#e,{job:t,server:o}=e,r=W(e.connection,o.clock.now()),i=e.connection.state==="missing",n=e.connection.state==="unauthenticated";return this.#l(),a`
<nav aria-label="place">
<a href=${o.address}>milepost</a><span class="muted crumb" aria-hidden="true">/</span>
<a class="foreign cut crumb" href=${`${o.address}?kind=${encodeURIComponent(t?.kind??"")}`}
>${w(t?.kind??(V(e.connection)?e.jobId:"\u2026"),64)}</a
>
<span class="chip ${r.tone}" aria-hidden="true">${D(r.shape)} ${r.text}</span>
<span class="hidden-text" role="status">${r.milestone}</span>
${t?a`<span class="event muted" title="cursor ${e.epoch}:${t.lastSequence}"
>event ${N(t.lastSequence)}
<milepost-copy
.text=${`${e.epoch}:${t.lastSequence}`}
.label=${"copy the cursor of the newest event"}
></milepost-copy
></span>
<milepost-copy
class="command"
.text=${`milepost watch ${e.jobId}`}
.label=${"copy the command that shows this job in a terminal"}
><span class="mono">milepost watch</span></milepost-copy
>
${o.may("share")?a`<button @click=${this.#h}>Share…</button>`:p}`:p}
</nav>
<main>
${n?a`<milepost-sign-in
message=${o.isShared||e.connection.expired?e.connection.error:""}
?shared=${o.isShared}
></milepost-sign-in>`:t?p:a`<h1 class="hidden-text">Job ${w(e.jobId)}</h1>`}
${n&&!t?p:a`<milepost-job
log="full"
cancel
retry
.line=${this.#t}
.event=${this.#s}
.store=${e}
@milepost-line=${this.#d}
@milepost-event=${this.#c}
></milepost-job>`}
${i?a`<p><a href=${o.address}>Show all jobs</a></p>`:p}
</main>
<milepost-share-sheet .store=${e}></milepost-share-sheet>
<milepost-key-help></milepost-key-help>
`}#l(){let{job:e}=this.#e;if(!e)return;let t=te(e)&&e.attempt>0?` ${ee(e.fraction)} %`:"";document.title=[`${G(e.state).word}${t}`,w(e.kind,64),Y(e)].filter(Boolean).join(" \xB7 ")}get#i(){return this.renderRoot.querySelector("milepost-job")}#n=()=>{this.#t=u("line"),this.#s=u("event"),this.requestUpdate()};#d=e=>{this.#t=e.detail.line,this.#a("line",this.#t)};#c=e=>{this.#s=e.detail.event,this.#a("event",this.#s)};#a(e,t){c(e,t>0?`${t}`:void 0),this.requestUpdate()}#h=()=>{this.renderRoot.querySelector("milepost-share-sheet")?.open()};#p=e=>{if(Z(e))return;let t=this.#o.press(e.key,e.timeStamp),o=this.#i;if(!(!t||!o)){switch(t){case"search":o.show("log"),o.updateComplete.then(()=>o.logView?.search());break;case"next":o.stages?.move(1);break;case"previous":o.stages?.move(-1);break;case"toggle":o.stages?.toggle();break;case"follow":(o.logView??o.eventsView)?.toggleFollow();break;case"cancel":o.askToCancel();break;case"retry":o.askToRetry();break;case"list":location.href=this.#e.server.address;break;case"help":this.renderRoot.querySelector("milepost-key-help")?.toggle();break;default:return}e.preventDefault()}}};import{pageParts as re}from"./elements.js";var{LitElement:ie,css:ne,html:S,KEYS:ae,sharedStyles:le,dialogStyles:de}=re,g=class extends ie{static properties={without:{attribute:!1}};static styles=[le,de,ne`
dl {
display: grid;
grid-template-columns: auto 1fr;
gap: 6px 16px;
margin: 12px 0 0;
}
dd {
margin: 0;
}
kbd {
padding: 1px 6px;
border: 1px solid var(--_line);
border-radius: 3px;
font: 12px var(--_mono);
}
`];constructor(){super(),this.without=[]}toggle(){let e=this.renderRoot.querySelector("dialog");e?.open?e.close():e?.showModal()}render(){return S`<dialog aria-labelledby="title">
<h2 id="title">Keys</h2>
<dl>
${ae.filter(([,e])=>!this.without.includes(e)).map(([e,,t])=>S`<dt>${e.split(" ").map(o=>S`<kbd>${o}</kbd> `)}</dt>
<dd>${t}</dd>`)}
</dl>
<form method="dialog" class="actions"><button>Close</button></form>
</dialog>`}};import{pageParts as ce}from"./elements.js";var{LitElement:pe,html:h,nothing:v,oneLine:he,serverAt:E,ticker:me,chipIcon:ue,chipOf:fe,sharedStyles:ge,Keyboard:ve,isForeignKey:ye,filterOf:I,queryOf:be,needsWorkers:ke}=ce,xe=["follow","cancel","retry","list"],y=class extends pe{static styles=[ge,m];#e=new ve;#o=I(location.search);#t;#s="";#r=()=>{};#l=[];constructor(){super();let e=()=>this.renderRoot.querySelector("milepost-jobs")?.renderRoot.querySelector("[part=list]");new l(this,"--milepost-list-height",e)}connectedCallback(){super.connectedCallback(),this.#l=[me.add(()=>{this.requestUpdate()})],document.addEventListener("keydown",this.#a),addEventListener("popstate",this.#n),E().whoAmI().then(()=>{this.requestUpdate()})}disconnectedCallback(){super.disconnectedCallback();for(let e of this.#l)e();this.#r(),this.#t=void 0,document.removeEventListener("keydown",this.#a),removeEventListener("popstate",this.#n)}render(){let e=E(),t=e.jobs(this.#o);this.#i(t);let{connection:o}=t,r=o.state==="unauthenticated",i=fe(o,e.clock.now());return h`<nav aria-label="place">
<a href=${e.address} aria-current="page">milepost</a>
<span class="chip ${i.tone}" aria-hidden="true">${ue(i.shape)} ${i.text}</span>
<span class="hidden-text" role="status">${i.milestone}</span>
${e.user&&!r?h`<span class="foreign cut muted">${he(e.user,64)}</span>
${this.#s?h`<span class="failed" role="alert">${this.#s}</span>`:v}
<button @click=${this.#c}>Sign out</button>`:v}
</nav>
<main>
<h1 class="hidden-text">Jobs</h1>
${r?h`<milepost-sign-in message=${o.expired?o.error:""}></milepost-sign-in>`:v}
<milepost-workers ?quiet=${!ke(t.all())}></milepost-workers>
${r&&t.all().next().done?v:h`<milepost-jobs
controls
.filter=${this.#o}
@milepost-filter=${this.#d}
></milepost-jobs>`}
</main>
<milepost-key-help .without=${xe}></milepost-key-help>`}#i(e){if(e===this.#t)return;this.#t=e;let t=this.#r;this.#r=e.subscribe(()=>{this.requestUpdate()}),t()}#n=()=>{this.#o=I(location.search),this.requestUpdate()};#d=e=>{this.#o=e.detail.filter,history.replaceState(null,"",`${location.pathname}${be(this.#o)}${location.hash}`),this.requestUpdate()};#c=async()=>{try{let{ok:e,status:t}=await fetch(`${E().address}v1/session:clear`,{method:"POST"});e?location.reload():this.#s=`still signed in: status ${t}`}catch{this.#s="still signed in: no connection"}this.requestUpdate()};#a=e=>{let t=this.renderRoot.querySelector("milepost-jobs");if(!(!t||ye(e))){switch(this.#e.press(e.key,e.timeStamp)){case"search":t.search();break;case"next":t.move(1);break;case"previous":t.move(-1);break;case"toggle":t.open();break;case"help":this.renderRoot.querySelector("milepost-key-help")?.toggle();break;default:return}e.preventDefault()}}};import{pageParts as $e}from"./elements.js";var{LitElement:we,css:Se,html:b,nothing:C,sharedStyles:Ee,dialogStyles:Re,absolute:Te,instantOf:Le}=$e,qe=[[900,"15 minutes"],[3600,"1 hour"],[86400,"1 day"],[7*86400,"7 days"]],k=class extends we{static properties={store:{attribute:!1},link:{state:!0},until:{state:!0},error:{state:!0}};static styles=[Ee,Re,Se`
.link {
display: flex;
gap: 8px;
margin-top: 12px;
}
.link input {
flex: 1;
min-width: 0;
}
`];#e=new AbortController;constructor(){super(),this.link=this.until=this.error=""}open(){this.#o(),this.renderRoot.querySelector("dialog")?.showModal()}#o=()=>{this.#e.abort(),this.#e=new AbortController,this.link=this.error=""};render(){return b`<dialog aria-labelledby="title">
<form method="dialog" @submit=${this.#t} @change=${this.#o}>
<h2 id="title">Share this job</h2>
<p class="muted">Whoever has the link sees this job and its children, and nothing else.</p>
<label for="ttl">For</label>
<select id="ttl">
${qe.map(([e,t])=>b`<option value=${e}>${t}</option>`)}
</select>
<label><input type="checkbox" id="cancel" /> may also cancel it</label>
${this.error?b`<p class="failed" role="alert">${this.error}</p>`:C}
${this.link?b`<div class="link">
<input
readonly
aria-label="link"
.value=${this.link}
@focus=${e=>{e.target.select()}}
/>
<milepost-copy .text=${this.link} .label=${"copy the link"}></milepost-copy>
</div>
<p class="muted">until ${this.until}</p>`:C}
<div class="actions">
<button
type="button"
@click=${()=>{this.renderRoot.querySelector("dialog")?.close()}}
>
Close
</button>
<button type="submit" class="primary">Make a link</button>
</div>
</form>
</dialog>`}#t=async e=>{e.preventDefault();let{store:t}=this;if(!t)return;this.#o();let{signal:o}=this.#e,r=Number(this.renderRoot.querySelector("select")?.value),i=["read"];this.renderRoot.querySelector("#cancel")?.checked&&i.push("cancel");try{let{token:n,expireTime:L}=await t.server.client.shareJob(t.jobId,{ttlMs:r*1e3,scopes:i,signal:o});this.link=`${t.server.jobAddress(t.jobId).split("#")[0]??""}#token=${n}`,this.until=L?Te(Le(L)).replace(/\.\d+/,""):"it expires"}catch(n){if(o.aborted)return;this.error=n instanceof Error?n.message:String(n)}}};var R=`milepost share ${location.pathname}`;function O(){let s=d("token");return s?(F(s)&&c("token",void 0),s):je()}function P(){addEventListener("hashchange",()=>{d("token")!==null&&location.reload()})}function A(){F(void 0),c("token",void 0)}function je(){try{return sessionStorage.getItem(R)??void 0}catch{return}}function F(s){try{return s===void 0?sessionStorage.removeItem(R):sessionStorage.setItem(R,s),!0}catch{return!1}}import{pageParts as Ie}from"./elements.js";var{LitElement:Ce,css:Oe,html:T,nothing:M,serverAt:Pe,sharedStyles:Ae}=Ie,Fe=/^[\x21-\x7e]+$/,x=class extends Ce{static properties={error:{state:!0},message:{},shared:{type:Boolean}};static styles=[Ae,Oe`
form {
max-width: 420px;
margin: 12vh auto 0;
}
h1 {
margin: 0 0 4px;
font-size: 16px;
}
.line {
display: flex;
gap: 8px;
margin-top: 12px;
}
input {
flex: 1;
min-width: 0;
}
`];constructor(){super(),this.error=this.message="",this.shared=!1}render(){return T`<form @submit=${this.#e}>
<h1>Sign in</h1>
${this.message?T`<p role="status">${this.message}</p>`:M}
<p class="muted">
${this.shared?"With a token of your own you need no link.":"This server needs a token."} Its
operator makes one with <code>milepost token create</code>.
</p>
<div class="line">
<input type="password" autocomplete="off" aria-label="token" placeholder="token" required />
<button class="primary">Sign in</button>
</div>
${this.error?T`<p class="failed" role="alert">${this.error}</p>`:M}
</form>`}#e=async e=>{e.preventDefault();let t=this.renderRoot.querySelector("input")?.value.trim()??"";if(!Fe.test(t)){this.error="This is no token: one has ASCII letters, digits and marks only, and no spaces.";return}try{let o=await fetch(`${Pe().address}v1/session`,{method:"POST",headers:{Authorization:`Bearer ${t}`}}),r=await Me(o);if(o.ok&&r){A(),location.reload();return}this.error=r?.error?.message??`A proxy answered in the server's place: status ${o.status}.`}catch{this.error="The server cannot be reached: no connection."}}};async function Me(s){try{return await s.json()}catch{return}}var U=O();P();Ue({server:new URL("..",import.meta.url).href,...U?{sharedToken:U}:{}});customElements.define("milepost-key-help",g);customElements.define("milepost-share-sheet",k);customElements.define("milepost-sign-in",x);customElements.define("milepost-list-page",y);customElements.define("milepost-job-page",f);
