import{configure as Te}from"./elements.js";import{pageParts as A}from"./elements.js";import{pageParts as U}from"./elements.js";var{css:O}=U,c=O`
  nav {
    position: sticky;
    top: 0;
    z-index: 2;
    display: flex;
    align-items: center;
    gap: 8px;
    min-height: 45px; /* as with its buttons, which come later */
    padding: 8px 24px;
    background: var(--_surface);
    border-bottom: 1px solid var(--_line);
  }
  nav a {
    color: inherit;
    text-decoration: none;
  }
  nav a:hover {
    text-decoration: underline;
  }
  /* Until WindowFit has measured. */
  :host {
    --milepost-log-height: max(300px, 100vh - 460px);
    --milepost-list-height: max(300px, 100vh - 220px);
  }
  main {
    max-width: 2200px;
    margin: 0 auto;
    padding: 16px 24px var(--below, 24px);
  }
  nav > * {
    flex: none;
  }
  nav > .cut {
    flex: 0 1 auto;
    min-width: 0;
  }
  /* Why there is no connection, and since when, may take several lines. */
  nav > .chip {
    flex: 0 1 auto;
    min-width: 0;
    margin-inline-start: auto;
    padding: 0 8px;
    border: 1px solid var(--_line);
    border-radius: 12px;
    line-height: 22px;
  }
  .chip .icon {
    color: var(--_muted);
  }
  .chip.up .icon {
    color: var(--_good);
  }
  .chip.stale {
    border-color: var(--_warn);
  }
  .chip.stale .icon {
    color: var(--_warn);
  }
  .command {
    margin-inline-start: 8px;
  }
  .event {
    display: inline-flex;
    align-items: center;
    white-space: nowrap;
  }
  @media (max-width: 899px) {
    .chip.stale ~ :is(.command, .event) {
      display: none;
    }
  }
  @media (max-width: 639px) {
    nav {
      padding: 8px 12px;
    }
    main {
      padding: 12px 12px var(--below, 24px);
    }
    .command,
    .crumb,
    .event {
      display: none;
    }
  }
`;import"./elements.js";var g=24,w=300,l=class{constructor(e,t,o,r){this.host=e;this.name=t;this.view=o;this.above=r;e.addController(this)}#t=0;#o=new ResizeObserver(()=>{this.#e()});hostConnected(){addEventListener("scroll",this.#e,{passive:!0}),addEventListener("resize",this.#e)}hostUpdated(){let e=this.host.renderRoot.querySelector("main");e&&this.#o.observe(e)}hostDisconnected(){removeEventListener("scroll",this.#e),removeEventListener("resize",this.#e),this.#o.disconnect(),cancelAnimationFrame(this.#t)}#e=()=>{cancelAnimationFrame(this.#t),this.#t=requestAnimationFrame(this.#s)};#s=()=>{let e=this.view(),{style:t}=this.host,o=e?innerHeight-e.getBoundingClientRect().top-g:0,r=this.above===void 0?1/0:Math.max(innerHeight-this.above-g,w),i=Math.floor(Math.min(Math.max(o,w),r));e&&t.setProperty(this.name,`${i}px`);let n=e!=null&&r<1/0&&e.scrollHeight>i;t.setProperty("--below",`${g+(n?r-i:0)}px`)}};var{LitElement:K,html:a,nothing:d,serverAt:F,ticker:J,chipIcon:_,chipOf:H,grouped:z,oneLine:f,jobLook:W,sharedStyles:B,Keyboard:D,isForeignKey:V,wholePercent:N,isKnown:G}=A,Y=112;function Q(s){let e=s.split("/").at(-1)??"";try{return decodeURIComponent(e)}catch{return e}}function E(){let s=Number(new URLSearchParams(location.hash.slice(1)).get("line"));return Number.isSafeInteger(s)?Math.max(s,0):0}var p=class extends K{static styles=[B,c];#t=F().job(Q(location.pathname));#o=new D;#e=E();#s=[];constructor(){super();let e=()=>this.#n?.logView?.renderRoot.querySelector("[part=log]");new l(this,"--milepost-log-height",e,Y)}connectedCallback(){super.connectedCallback();let e=()=>{this.requestUpdate()};this.#s=[this.#t.subscribe(e),J.add(e)],document.addEventListener("keydown",this.#d),addEventListener("hashchange",this.#r)}disconnectedCallback(){super.disconnectedCallback();for(let e of this.#s)e();document.removeEventListener("keydown",this.#d),removeEventListener("hashchange",this.#r)}render(){let e=this.#t,{job:t,server:o}=e,r=H(e.connection,o.clock.now()),i=e.connection.state==="missing",n=e.connection.state==="unauthenticated";return this.#i(),a`
      <nav aria-label="place">
        <a href=${o.address}>milepost</a><span class="muted crumb" aria-hidden="true">/</span>
        <a class="foreign cut crumb" href=${`${o.address}?kind=${encodeURIComponent(t?.kind??"")}`}
          >${f(t?.kind??(i?e.jobId:"\u2026"),64)}</a
        >
        <span class="chip ${r.tone}" aria-hidden="true">${_(r.shape)} ${r.text}</span>
        <span class="hidden-text" role="status">${r.milestone}</span>
        ${t?a`<span class="event muted" title="cursor ${e.epoch}:${t.lastSequence}"
                  >event ${z(t.lastSequence)}
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
                ${o.may("share")?a`<button @click=${this.#a}>share…</button>`:d}`:d}
      </nav>
      <main>
        ${n?a`<milepost-sign-in
                message=${o.isShared||e.connection.expired?e.connection.error:""}
                ?shared=${o.isShared}
              ></milepost-sign-in>`:t?d:a`<h1 class="hidden-text">Job ${f(e.jobId)}</h1>`}
        ${n&&!t?d:a`<milepost-job
                log="full"
                cancel
                .line=${this.#e}
                .store=${e}
                @milepost-line=${this.#l}
              ></milepost-job>`}
        ${i?a`<p><a href=${o.address}>Show all jobs</a></p>`:d}
      </main>
      <milepost-share-sheet .store=${e}></milepost-share-sheet>
      <milepost-key-help></milepost-key-help>
    `}#i(){let{job:e}=this.#t;if(!e)return;let t=G(e)?` ${N(e.fraction)} %`:"";document.title=`${W(e.state).word}${t} \xB7 ${f(e.kind,64)}`}get#n(){return this.renderRoot.querySelector("milepost-job")}#r=()=>{this.#e=E(),this.requestUpdate()};#l=e=>{this.#e=e.detail.line;let t=this.#e>0?`#line=${this.#e}`:"";history.replaceState(history.state,"",`${location.pathname}${location.search}${t}`),this.requestUpdate()};#a=()=>{this.renderRoot.querySelector("milepost-share-sheet")?.open()};#d=e=>{if(V(e))return;let t=this.#o.press(e.key,e.timeStamp),o=this.#n;if(!(!t||!o)){switch(t){case"search":o.show("log"),o.updateComplete.then(()=>o.logView?.search());break;case"next":o.stages?.move(1);break;case"previous":o.stages?.move(-1);break;case"toggle":o.stages?.toggle();break;case"follow":o.logView?.toggleFollow();break;case"cancel":o.askToCancel();break;case"list":location.href=this.#t.server.address;break;case"help":this.renderRoot.querySelector("milepost-key-help")?.toggle();break;default:return}e.preventDefault()}}};import{pageParts as X}from"./elements.js";var{LitElement:Z,css:ee,html:b,KEYS:te,sharedStyles:oe,dialogStyles:se}=X,h=class extends Z{static styles=[oe,se,ee`
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
    `];toggle(){let e=this.renderRoot.querySelector("dialog");e?.open?e.close():e?.showModal()}render(){return b`<dialog aria-labelledby="title">
      <h2 id="title">Keys</h2>
      <dl>
        ${te.map(([e,,t])=>b`<dt>${e.split(" ").map(o=>b`<kbd>${o}</kbd> `)}</dt>
              <dd>${t}</dd>`)}
      </dl>
      <form method="dialog" class="actions"><button>Close</button></form>
    </dialog>`}};import{pageParts as re}from"./elements.js";var{LitElement:ie,html:k,nothing:R,serverAt:ne,ticker:ae,chipIcon:le,chipOf:de,sharedStyles:ce,Keyboard:pe,isForeignKey:he,filterOf:L,queryOf:me,needsWorkers:ue}=re,m=class extends ie{static styles=[ce,c];#t=new pe;#o=L(location.search);#e;#s=()=>{};#i=[];constructor(){super();let e=()=>this.renderRoot.querySelector("milepost-jobs")?.renderRoot.querySelector("[part=list]");new l(this,"--milepost-list-height",e)}connectedCallback(){super.connectedCallback(),this.#i=[ae.add(()=>{this.requestUpdate()})],document.addEventListener("keydown",this.#a),addEventListener("popstate",this.#r)}disconnectedCallback(){super.disconnectedCallback();for(let e of this.#i)e();this.#s(),this.#e=void 0,document.removeEventListener("keydown",this.#a),removeEventListener("popstate",this.#r)}render(){let e=ne(),t=e.jobs(this.#o);this.#n(t);let{connection:o}=t,r=o.state==="unauthenticated",i=de(o,e.clock.now());return k`<nav aria-label="place">
        <a href=${e.address} aria-current="page">milepost</a>
        <span class="chip ${i.tone}" aria-hidden="true">${le(i.shape)} ${i.text}</span>
        <span class="hidden-text" role="status">${i.milestone}</span>
      </nav>
      <main>
        <h1 class="hidden-text">Jobs</h1>
        ${r?k`<milepost-sign-in message=${o.expired?o.error:""}></milepost-sign-in>`:R}
        <milepost-workers ?quiet=${!ue(t.all())}></milepost-workers>
        ${r&&t.all().next().done?R:k`<milepost-jobs
                controls
                .filter=${this.#o}
                @milepost-filter=${this.#l}
              ></milepost-jobs>`}
      </main>
      <milepost-key-help></milepost-key-help>`}#n(e){if(e===this.#e)return;this.#e=e;let t=this.#s;this.#s=e.subscribe(()=>{this.requestUpdate()}),t()}#r=()=>{this.#o=L(location.search),this.requestUpdate()};#l=e=>{this.#o=e.detail.filter,history.replaceState(null,"",`${location.pathname}${me(this.#o)}${location.hash}`),this.requestUpdate()};#a=e=>{let t=this.renderRoot.querySelector("milepost-jobs");if(!(!t||he(e))){switch(this.#t.press(e.key,e.timeStamp)){case"search":t.search();break;case"next":t.move(1);break;case"previous":t.move(-1);break;case"toggle":t.open();break;case"help":this.renderRoot.querySelector("milepost-key-help")?.toggle();break;default:return}e.preventDefault()}}};import{pageParts as ye}from"./elements.js";var{LitElement:ve,css:ge,html:u,nothing:T,sharedStyles:fe,dialogStyles:be,absolute:ke,instantOf:xe}=ye,$e=[[900,"15 minutes"],[3600,"1 hour"],[86400,"1 day"],[7*86400,"7 days"]],y=class extends ve{static properties={store:{attribute:!1},link:{state:!0},until:{state:!0},error:{state:!0}};static styles=[fe,be,ge`
      .link {
        display: flex;
        gap: 8px;
        margin-top: 12px;
      }
      .link input {
        flex: 1;
        min-width: 0;
      }
    `];constructor(){super(),this.link=this.until=this.error=""}open(){this.link=this.error="",this.renderRoot.querySelector("dialog")?.showModal()}render(){return u`<dialog aria-labelledby="title">
      <form method="dialog" @submit=${this.#t}>
        <h2 id="title">Share this job</h2>
        <p class="muted">Whoever has the link sees this job and its children, and nothing else.</p>
        <label for="ttl">For</label>
        <select id="ttl">
          ${$e.map(([e,t])=>u`<option value=${e}>${t}</option>`)}
        </select>
        <label><input type="checkbox" id="cancel" /> may also cancel it</label>
        ${this.error?u`<p class="failed" role="alert">${this.error}</p>`:T}
        ${this.link?u`<div class="link">
                  <input
                    readonly
                    aria-label="link"
                    .value=${this.link}
                    @focus=${e=>{e.target.select()}}
                  />
                  <milepost-copy .text=${this.link} .label=${"copy the link"}></milepost-copy>
                </div>
                <p class="muted">until ${this.until}</p>`:T}
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
    </dialog>`}#t=async e=>{e.preventDefault();let{store:t}=this;if(!t)return;let o=Number(this.renderRoot.querySelector("select")?.value),r=["read"];this.renderRoot.querySelector("#cancel")?.checked&&r.push("cancel");try{let{token:i,expireTime:n}=await t.server.client.shareJob(t.jobId,{ttlMs:o*1e3,scopes:r});this.link=`${t.server.jobAddress(t.jobId).split("#")[0]??""}#token=${i}`,this.until=n?ke(xe(n)).replace(/\.\d+/,""):"it expires",this.error=""}catch(i){this.error=i instanceof Error?i.message:String(i)}}};var x=`milepost share ${location.pathname}`;function j(){let s=new URLSearchParams(location.hash.slice(1)),e=s.get("token");if(!e)return $()?.getItem(x)??void 0;let t=$();return t&&(t.setItem(x,e),P(s)),e}function q(){addEventListener("hashchange",()=>{new URLSearchParams(location.hash.slice(1)).has("token")&&location.reload()})}function I(){$()?.removeItem(x),P(new URLSearchParams(location.hash.slice(1)))}function P(s){s.delete("token");let e=s.size>0?`#${s.toString()}`:"";history.replaceState(history.state,"",location.pathname+location.search+e)}function $(){try{return sessionStorage}catch{return}}import{pageParts as Se}from"./elements.js";var{LitElement:we,css:Ee,html:S,nothing:C,serverAt:Re,sharedStyles:Le}=Se,v=class extends we{static properties={error:{state:!0},message:{},shared:{type:Boolean}};static styles=[Le,Ee`
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
    `];constructor(){super(),this.error=this.message="",this.shared=!1}render(){return S`<form @submit=${this.#t}>
      <h1>Sign in</h1>
      ${this.message?S`<p role="status">${this.message}</p>`:C}
      <p class="muted">
        ${this.shared?"With a token of your own you need no link.":"This server needs a token."} Whoever
        runs it makes one with <code>milepost token create</code>.
      </p>
      <div class="line">
        <input type="password" autocomplete="off" aria-label="token" placeholder="token" required />
        <button class="primary">Sign in</button>
      </div>
      ${this.error?S`<p class="failed" role="alert">${this.error}</p>`:C}
    </form>`}#t=async e=>{e.preventDefault();let t=this.renderRoot.querySelector("input")?.value.trim()??"";try{let o=await fetch(`${Re().address}v1/session`,{method:"POST",headers:{Authorization:`Bearer ${t}`}});if(o.ok){I(),location.reload();return}let r=await o.json();this.error=r.error?.message??`The server refused it (${o.status}).`}catch(o){this.error=`The server cannot be reached: ${String(o)}`}}};var M=j();q();Te({server:new URL("..",import.meta.url).href,...M?{sharedToken:M}:{}});customElements.define("milepost-key-help",h);customElements.define("milepost-share-sheet",y);customElements.define("milepost-sign-in",v);customElements.define("milepost-list-page",m);customElements.define("milepost-job-page",p);
