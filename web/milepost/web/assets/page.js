import{configure as Me}from"./elements.js";import{pageParts as _}from"./elements.js";function d(s){return T().get(s)}function c(s,e){let t=T();e===void 0?t.delete(s):t.set(s,e);let o=t.toString(),r=location.pathname+location.search+(o&&`#${o}`);history.replaceState(history.state,"",r)}function T(){return new URLSearchParams(location.hash.slice(1))}import{pageParts as K}from"./elements.js";var{css:J}=K,m=J` nav{position: sticky;top: 0;z-index: 2;display: flex;align-items: center;gap: 8px;min-height: 45px;padding: 8px 24px;background: var(--_surface);border-bottom: 1px solid var(--_line);}nav a{color: inherit;text-decoration: none;}nav a:hover{text-decoration: underline;}:host{--milepost-log-height: max(300px,100vh - 460px);--milepost-list-height: max(300px,100vh - 220px);}main{max-width: 2200px;margin: 0 auto;padding: 16px 24px var(--below,24px);}nav > *{flex: none;}nav > .cut{flex: 0 1 auto;min-width: 0;}nav > .chip{flex: 0 1 auto;min-width: 0;margin-inline-start: auto;padding: 0 8px;border: 1px solid var(--_line);border-radius: 12px;line-height: 22px;}.chip .icon{color: var(--_muted);}nav > .chip.up{flex: none;}.chip.up .icon{color: var(--_good);}.chip.stale{border-color: var(--_warn);}.chip.stale .icon{color: var(--_warn);}.command{margin-inline-start: 8px;}.event{display: inline-flex;align-items: center;white-space: nowrap;}@media (max-width: 899px){.chip.stale ~ :is(.command,.event){display: none;}}@media (max-width: 639px){nav{padding: 8px 12px;}main{padding: 12px 12px var(--below,24px);}.command,.crumb,.event{display: none;}}`;import"./elements.js";var x=24,q=300,l=class{constructor(e,t,o,r){this.host=e;this.name=t;this.view=o;this.above=r;e.addController(this)}#t=0;#o=new ResizeObserver(()=>{this.#e()});hostConnected(){addEventListener("scroll",this.#e,{passive:!0}),addEventListener("resize",this.#e)}hostUpdated(){let e=this.host.renderRoot.querySelector("main");e&&this.#o.observe(e)}hostDisconnected(){removeEventListener("scroll",this.#e),removeEventListener("resize",this.#e),this.#o.disconnect(),cancelAnimationFrame(this.#t)}#e=()=>{cancelAnimationFrame(this.#t),this.#t=requestAnimationFrame(this.#s)};#s=()=>{let e=this.view(),{style:t}=this.host,o=e?innerHeight-e.getBoundingClientRect().top-x:0,r=this.above===void 0?1/0:Math.max(innerHeight-this.above-x,q),i=Math.floor(Math.min(Math.max(o,q),r));e&&t.setProperty(this.name,`${i}px`);let n=e!=null&&r<1/0&&e.scrollHeight>i;t.setProperty("--below",`${x+(n?r-i:0)}px`)}};var{LitElement:H,html:a,nothing:p,serverAt:z,ticker:B,chipIcon:V,chipOf:D,grouped:W,oneLine:$,jobLook:N,titleOf:G,sharedStyles:Y,Keyboard:Q,isForeignKey:X,wholePercent:Z,isKnown:ee}=_,te=112;function oe(s){let e=s.split("/").at(-1)??"";try{return decodeURIComponent(e)}catch{return e}}function j(){let s=Number(d("line"));return Number.isSafeInteger(s)?Math.max(s,0):0}var u=class extends H{static styles=[Y,m];#t=z().job(oe(location.pathname));#o=new Q;#e=j();#s=[];constructor(){super();let e=()=>(this.#r?.logView??this.#r?.eventsView)?.renderRoot.querySelector(".view");new l(this,"--milepost-log-height",e,te)}connectedCallback(){super.connectedCallback();let e=()=>{this.requestUpdate()};this.#s=[this.#t.subscribe(e),B.add(e)],document.addEventListener("keydown",this.#l),addEventListener("hashchange",this.#n)}disconnectedCallback(){super.disconnectedCallback();for(let e of this.#s)e();document.removeEventListener("keydown",this.#l),removeEventListener("hashchange",this.#n)}render(){let e=this.#t,{job:t,server:o}=e,r=D(e.connection,o.clock.now()),i=e.connection.state==="missing",n=e.connection.state==="unauthenticated";return this.#i(),a`
<nav aria-label="place">
<a href=${o.address}>milepost</a><span class="muted crumb" aria-hidden="true">/</span>
<a class="foreign cut crumb" href=${`${o.address}?kind=${encodeURIComponent(t?.kind??"")}`}
>${$(t?.kind??(i?e.jobId:"\u2026"),64)}</a
>
<span class="chip ${r.tone}" aria-hidden="true">${V(r.shape)} ${r.text}</span>
<span class="hidden-text" role="status">${r.milestone}</span>
${t?a`<span class="event muted" title="cursor ${e.epoch}:${t.lastSequence}"
>event ${W(t.lastSequence)}
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
${o.may("share")?a`<button @click=${this.#d}>share…</button>`:p}`:p}
</nav>
<main>
${n?a`<milepost-sign-in
message=${o.isShared||e.connection.expired?e.connection.error:""}
?shared=${o.isShared}
></milepost-sign-in>`:t?p:a`<h1 class="hidden-text">Job ${$(e.jobId)}</h1>`}
${n&&!t?p:a`<milepost-job
log="full"
cancel
retry
.line=${this.#e}
.store=${e}
@milepost-line=${this.#a}
></milepost-job>`}
${i?a`<p><a href=${o.address}>Show all jobs</a></p>`:p}
</main>
<milepost-share-sheet .store=${e}></milepost-share-sheet>
<milepost-key-help></milepost-key-help>
`}#i(){let{job:e}=this.#t;if(!e)return;let t=ee(e)&&e.attempt>0?` ${Z(e.fraction)} %`:"";document.title=[`${N(e.state).word}${t}`,$(e.kind,64),G(e)].filter(Boolean).join(" \xB7 ")}get#r(){return this.renderRoot.querySelector("milepost-job")}#n=()=>{this.#e=j(),this.requestUpdate()};#a=e=>{this.#e=e.detail.line,c("line",this.#e>0?`${this.#e}`:void 0),this.requestUpdate()};#d=()=>{this.renderRoot.querySelector("milepost-share-sheet")?.open()};#l=e=>{if(X(e))return;let t=this.#o.press(e.key,e.timeStamp),o=this.#r;if(!(!t||!o)){switch(t){case"search":o.show("log"),o.updateComplete.then(()=>o.logView?.search());break;case"next":o.stages?.move(1);break;case"previous":o.stages?.move(-1);break;case"toggle":o.stages?.toggle();break;case"follow":(o.logView??o.eventsView)?.toggleFollow();break;case"cancel":o.askToCancel();break;case"retry":o.askToRetry();break;case"list":location.href=this.#t.server.address;break;case"help":this.renderRoot.querySelector("milepost-key-help")?.toggle();break;default:return}e.preventDefault()}}};import{pageParts as se}from"./elements.js";var{LitElement:re,css:ie,html:w,KEYS:ne,sharedStyles:ae,dialogStyles:le}=se,f=class extends re{static styles=[ae,le,ie`
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
`];toggle(){let e=this.renderRoot.querySelector("dialog");e?.open?e.close():e?.showModal()}render(){return w`<dialog aria-labelledby="title">
<h2 id="title">Keys</h2>
<dl>
${ne.map(([e,,t])=>w`<dt>${e.split(" ").map(o=>w`<kbd>${o}</kbd> `)}</dt>
<dd>${t}</dd>`)}
</dl>
<form method="dialog" class="actions"><button>Close</button></form>
</dialog>`}};import{pageParts as de}from"./elements.js";var{LitElement:ce,html:h,nothing:g,oneLine:pe,serverAt:S,ticker:he,chipIcon:me,chipOf:ue,sharedStyles:fe,Keyboard:ge,isForeignKey:ye,filterOf:I,queryOf:ve,needsWorkers:be}=de,y=class extends ce{static styles=[fe,m];#t=new ge;#o=I(location.search);#e;#s="";#i=()=>{};#r=[];constructor(){super();let e=()=>this.renderRoot.querySelector("milepost-jobs")?.renderRoot.querySelector("[part=list]");new l(this,"--milepost-list-height",e)}connectedCallback(){super.connectedCallback(),this.#r=[he.add(()=>{this.requestUpdate()})],document.addEventListener("keydown",this.#c),addEventListener("popstate",this.#a),S().whoAmI().then(()=>{this.requestUpdate()})}disconnectedCallback(){super.disconnectedCallback();for(let e of this.#r)e();this.#i(),this.#e=void 0,document.removeEventListener("keydown",this.#c),removeEventListener("popstate",this.#a)}render(){let e=S(),t=e.jobs(this.#o);this.#n(t);let{connection:o}=t,r=o.state==="unauthenticated",i=ue(o,e.clock.now());return h`<nav aria-label="place">
<a href=${e.address} aria-current="page">milepost</a>
<span class="chip ${i.tone}" aria-hidden="true">${me(i.shape)} ${i.text}</span>
<span class="hidden-text" role="status">${i.milestone}</span>
${e.user&&!r?h`<span class="foreign cut muted">${pe(e.user,64)}</span>
${this.#s?h`<span class="failed" role="alert">${this.#s}</span>`:g}
<button @click=${this.#l}>Sign out</button>`:g}
</nav>
<main>
<h1 class="hidden-text">Jobs</h1>
${r?h`<milepost-sign-in message=${o.expired?o.error:""}></milepost-sign-in>`:g}
<milepost-workers ?quiet=${!be(t.all())}></milepost-workers>
${r&&t.all().next().done?g:h`<milepost-jobs
controls
.filter=${this.#o}
@milepost-filter=${this.#d}
></milepost-jobs>`}
</main>
<milepost-key-help></milepost-key-help>`}#n(e){if(e===this.#e)return;this.#e=e;let t=this.#i;this.#i=e.subscribe(()=>{this.requestUpdate()}),t()}#a=()=>{this.#o=I(location.search),this.requestUpdate()};#d=e=>{this.#o=e.detail.filter,history.replaceState(null,"",`${location.pathname}${ve(this.#o)}${location.hash}`),this.requestUpdate()};#l=async()=>{try{let{ok:e,status:t}=await fetch(`${S().address}v1/session:clear`,{method:"POST"});e?location.reload():this.#s=`still signed in: status ${t}`}catch{this.#s="still signed in: no connection"}this.requestUpdate()};#c=e=>{let t=this.renderRoot.querySelector("milepost-jobs");if(!(!t||ye(e))){switch(this.#t.press(e.key,e.timeStamp)){case"search":t.search();break;case"next":t.move(1);break;case"previous":t.move(-1);break;case"toggle":t.open();break;case"help":this.renderRoot.querySelector("milepost-key-help")?.toggle();break;default:return}e.preventDefault()}}};import{pageParts as ke}from"./elements.js";var{LitElement:xe,css:$e,html:v,nothing:C,sharedStyles:we,dialogStyles:Se,absolute:Ee,instantOf:Re}=ke,Le=[[900,"15 minutes"],[3600,"1 hour"],[86400,"1 day"],[7*86400,"7 days"]],b=class extends xe{static properties={store:{attribute:!1},link:{state:!0},until:{state:!0},error:{state:!0}};static styles=[we,Se,$e`
.link {
display: flex;
gap: 8px;
margin-top: 12px;
}
.link input {
flex: 1;
min-width: 0;
}
`];#t=new AbortController;constructor(){super(),this.link=this.until=this.error=""}open(){this.#o(),this.renderRoot.querySelector("dialog")?.showModal()}#o=()=>{this.#t.abort(),this.#t=new AbortController,this.link=this.error=""};render(){return v`<dialog aria-labelledby="title">
<form method="dialog" @submit=${this.#e} @change=${this.#o}>
<h2 id="title">Share this job</h2>
<p class="muted">Whoever has the link sees this job and its children, and nothing else.</p>
<label for="ttl">For</label>
<select id="ttl">
${Le.map(([e,t])=>v`<option value=${e}>${t}</option>`)}
</select>
<label><input type="checkbox" id="cancel" /> may also cancel it</label>
${this.error?v`<p class="failed" role="alert">${this.error}</p>`:C}
${this.link?v`<div class="link">
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
</dialog>`}#e=async e=>{e.preventDefault();let{store:t}=this;if(!t)return;this.#o();let{signal:o}=this.#t,r=Number(this.renderRoot.querySelector("select")?.value),i=["read"];this.renderRoot.querySelector("#cancel")?.checked&&i.push("cancel");try{let{token:n,expireTime:L}=await t.server.client.shareJob(t.jobId,{ttlMs:r*1e3,scopes:i,signal:o});this.link=`${t.server.jobAddress(t.jobId).split("#")[0]??""}#token=${n}`,this.until=L?Ee(Re(L)).replace(/\.\d+/,""):"it expires"}catch(n){if(o.aborted)return;this.error=n instanceof Error?n.message:String(n)}}};var E=`milepost share ${location.pathname}`;function P(){let s=d("token");return s?(A(s)&&c("token",void 0),s):Te()}function O(){addEventListener("hashchange",()=>{d("token")!==null&&location.reload()})}function M(){A(void 0),c("token",void 0)}function Te(){try{return sessionStorage.getItem(E)??void 0}catch{return}}function A(s){try{return s===void 0?sessionStorage.removeItem(E):sessionStorage.setItem(E,s),!0}catch{return!1}}import{pageParts as qe}from"./elements.js";var{LitElement:je,css:Ie,html:R,nothing:F,serverAt:Ce,sharedStyles:Pe}=qe,k=class extends je{static properties={error:{state:!0},message:{},shared:{type:Boolean}};static styles=[Pe,Ie`
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
`];constructor(){super(),this.error=this.message="",this.shared=!1}render(){return R`<form @submit=${this.#t}>
<h1>Sign in</h1>
${this.message?R`<p role="status">${this.message}</p>`:F}
<p class="muted">
${this.shared?"With a token of your own you need no link.":"This server needs a token."} Its
operator makes one with <code>milepost token create</code>.
</p>
<div class="line">
<input type="password" autocomplete="off" aria-label="token" placeholder="token" required />
<button class="primary">Sign in</button>
</div>
${this.error?R`<p class="failed" role="alert">${this.error}</p>`:F}
</form>`}#t=async e=>{e.preventDefault();let t=this.renderRoot.querySelector("input")?.value.trim()??"";try{let o=await fetch(`${Ce().address}v1/session`,{method:"POST",headers:{Authorization:`Bearer ${t}`}}),r=await Oe(o);if(o.ok&&r){M(),location.reload();return}this.error=r?.error?.message??`A proxy answered in the server's place: status ${o.status}.`}catch{this.error="The server cannot be reached: no connection."}}};async function Oe(s){try{return await s.json()}catch{return}}var U=P();O();Me({server:new URL("..",import.meta.url).href,...U?{sharedToken:U}:{}});customElements.define("milepost-key-help",f);customElements.define("milepost-share-sheet",b);customElements.define("milepost-sign-in",k);customElements.define("milepost-list-page",y);customElements.define("milepost-job-page",u);
