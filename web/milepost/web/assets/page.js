import{configure as qe}from"./elements.js";import{pageParts as K}from"./elements.js";import{pageParts as O}from"./elements.js";var{css:A}=O,c=A`
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
`;import"./elements.js";var f=24,R=300,l=class{constructor(e,t,o,s){this.host=e;this.name=t;this.view=o;this.above=s;e.addController(this)}#t=0;#o=new ResizeObserver(()=>{this.#e()});hostConnected(){addEventListener("scroll",this.#e,{passive:!0}),addEventListener("resize",this.#e)}hostUpdated(){let e=this.host.renderRoot.querySelector("main");e&&this.#o.observe(e)}hostDisconnected(){removeEventListener("scroll",this.#e),removeEventListener("resize",this.#e),this.#o.disconnect(),cancelAnimationFrame(this.#t)}#e=()=>{cancelAnimationFrame(this.#t),this.#t=requestAnimationFrame(this.#s)};#s=()=>{let e=this.view(),{style:t}=this.host,o=e?innerHeight-e.getBoundingClientRect().top-f:0,s=this.above===void 0?1/0:Math.max(innerHeight-this.above-f,R),i=Math.floor(Math.min(Math.max(o,R),s));e&&t.setProperty(this.name,`${i}px`);let n=e!=null&&s<1/0&&e.scrollHeight>i;t.setProperty("--below",`${f+(n?s-i:0)}px`)}};var{LitElement:F,html:a,nothing:d,serverAt:J,ticker:_,chipIcon:H,chipOf:z,grouped:W,oneLine:b,jobLook:B,sharedStyles:D,Keyboard:V,isForeignKey:N,wholePercent:G,isKnown:Y}=K,Q=112;function X(r){let e=r.split("/").at(-1)??"";try{return decodeURIComponent(e)}catch{return e}}function L(){let r=Number(new URLSearchParams(location.hash.slice(1)).get("line"));return Number.isSafeInteger(r)?Math.max(r,0):0}var p=class extends F{static styles=[D,c];#t=J().job(X(location.pathname));#o=new V;#e=L();#s=[];constructor(){super();let e=()=>this.#a?.logView?.renderRoot.querySelector("[part=log]");new l(this,"--milepost-log-height",e,Q)}connectedCallback(){super.connectedCallback();let e=()=>{this.requestUpdate()};this.#s=[this.#t.subscribe(e),_.add(e)],document.addEventListener("keydown",this.#i),addEventListener("hashchange",this.#r)}disconnectedCallback(){super.disconnectedCallback();for(let e of this.#s)e();document.removeEventListener("keydown",this.#i),removeEventListener("hashchange",this.#r)}render(){let e=this.#t,{job:t,server:o}=e,s=z(e.connection,o.clock.now()),i=e.connection.state==="missing",n=e.connection.state==="unauthenticated";return this.#n(),a`
      <nav aria-label="place">
        <a href=${o.address}>milepost</a><span class="muted crumb" aria-hidden="true">/</span>
        <a class="foreign cut crumb" href=${`${o.address}?kind=${encodeURIComponent(t?.kind??"")}`}
          >${b(t?.kind??(i?e.jobId:"\u2026"),64)}</a
        >
        <span class="chip ${s.tone}" aria-hidden="true">${H(s.shape)} ${s.text}</span>
        <span class="hidden-text" role="status">${s.milestone}</span>
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
                ${o.may("share")?a`<button @click=${this.#d}>share…</button>`:d}`:d}
      </nav>
      <main>
        ${n?a`<milepost-sign-in
                message=${o.isShared||e.connection.expired?e.connection.error:""}
                ?shared=${o.isShared}
              ></milepost-sign-in>`:t?d:a`<h1 class="hidden-text">Job ${b(e.jobId)}</h1>`}
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
    `}#n(){let{job:e}=this.#t;if(!e)return;let t=Y(e)?` ${G(e.fraction)} %`:"";document.title=`${B(e.state).word}${t} \xB7 ${b(e.kind,64)}`}get#a(){return this.renderRoot.querySelector("milepost-job")}#r=()=>{this.#e=L(),this.requestUpdate()};#l=e=>{this.#e=e.detail.line;let t=this.#e>0?`#line=${this.#e}`:"";history.replaceState(history.state,"",`${location.pathname}${location.search}${t}`),this.requestUpdate()};#d=()=>{this.renderRoot.querySelector("milepost-share-sheet")?.open()};#i=e=>{if(N(e))return;let t=this.#o.press(e.key,e.timeStamp),o=this.#a;if(!(!t||!o)){switch(t){case"search":o.show("log"),o.updateComplete.then(()=>o.logView?.search());break;case"next":o.stages?.move(1);break;case"previous":o.stages?.move(-1);break;case"toggle":o.stages?.toggle();break;case"follow":o.logView?.toggleFollow();break;case"cancel":o.askToCancel();break;case"list":location.href=this.#t.server.address;break;case"help":this.renderRoot.querySelector("milepost-key-help")?.toggle();break;default:return}e.preventDefault()}}};import{pageParts as Z}from"./elements.js";var{LitElement:ee,css:te,html:k,KEYS:oe,sharedStyles:se,dialogStyles:re}=Z,h=class extends ee{static styles=[se,re,te`
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
    `];toggle(){let e=this.renderRoot.querySelector("dialog");e?.open?e.close():e?.showModal()}render(){return k`<dialog aria-labelledby="title">
      <h2 id="title">Keys</h2>
      <dl>
        ${oe.map(([e,,t])=>k`<dt>${e.split(" ").map(o=>k`<kbd>${o}</kbd> `)}</dt>
              <dd>${t}</dd>`)}
      </dl>
      <form method="dialog" class="actions"><button>Close</button></form>
    </dialog>`}};import{pageParts as ie}from"./elements.js";var{LitElement:ne,html:m,nothing:x,oneLine:ae,serverAt:$,ticker:le,chipIcon:de,chipOf:ce,sharedStyles:pe,Keyboard:he,isForeignKey:me,filterOf:T,queryOf:ue,needsWorkers:ye}=ie,u=class extends ne{static styles=[pe,c];#t=new he;#o=T(location.search);#e;#s=()=>{};#n=[];constructor(){super();let e=()=>this.renderRoot.querySelector("milepost-jobs")?.renderRoot.querySelector("[part=list]");new l(this,"--milepost-list-height",e)}connectedCallback(){super.connectedCallback(),this.#n=[le.add(()=>{this.requestUpdate()})],document.addEventListener("keydown",this.#i),addEventListener("popstate",this.#r),$().whoAmI().then(()=>{this.requestUpdate()})}disconnectedCallback(){super.disconnectedCallback();for(let e of this.#n)e();this.#s(),this.#e=void 0,document.removeEventListener("keydown",this.#i),removeEventListener("popstate",this.#r)}render(){let e=$(),t=e.jobs(this.#o);this.#a(t);let{connection:o}=t,s=o.state==="unauthenticated",i=ce(o,e.clock.now());return m`<nav aria-label="place">
        <a href=${e.address} aria-current="page">milepost</a>
        <span class="chip ${i.tone}" aria-hidden="true">${de(i.shape)} ${i.text}</span>
        <span class="hidden-text" role="status">${i.milestone}</span>
        ${e.user&&!s?m`<span class="foreign cut muted">${ae(e.user,64)}</span>
                <button @click=${this.#d}>Sign out</button>`:x}
      </nav>
      <main>
        <h1 class="hidden-text">Jobs</h1>
        ${s?m`<milepost-sign-in message=${o.expired?o.error:""}></milepost-sign-in>`:x}
        <milepost-workers ?quiet=${!ye(t.all())}></milepost-workers>
        ${s&&t.all().next().done?x:m`<milepost-jobs
                controls
                .filter=${this.#o}
                @milepost-filter=${this.#l}
              ></milepost-jobs>`}
      </main>
      <milepost-key-help></milepost-key-help>`}#a(e){if(e===this.#e)return;this.#e=e;let t=this.#s;this.#s=e.subscribe(()=>{this.requestUpdate()}),t()}#r=()=>{this.#o=T(location.search),this.requestUpdate()};#l=e=>{this.#o=e.detail.filter,history.replaceState(null,"",`${location.pathname}${ue(this.#o)}${location.hash}`),this.requestUpdate()};#d=async()=>{await fetch(`${$().address}v1/session:clear`,{method:"POST"}),location.reload()};#i=e=>{let t=this.renderRoot.querySelector("milepost-jobs");if(!(!t||me(e))){switch(this.#t.press(e.key,e.timeStamp)){case"search":t.search();break;case"next":t.move(1);break;case"previous":t.move(-1);break;case"toggle":t.open();break;case"help":this.renderRoot.querySelector("milepost-key-help")?.toggle();break;default:return}e.preventDefault()}}};import{pageParts as ve}from"./elements.js";var{LitElement:ge,css:fe,html:y,nothing:q,sharedStyles:be,dialogStyles:ke,absolute:xe,instantOf:$e}=ve,Se=[[900,"15 minutes"],[3600,"1 hour"],[86400,"1 day"],[7*86400,"7 days"]],v=class extends ge{static properties={store:{attribute:!1},link:{state:!0},until:{state:!0},error:{state:!0}};static styles=[be,ke,fe`
      .link {
        display: flex;
        gap: 8px;
        margin-top: 12px;
      }
      .link input {
        flex: 1;
        min-width: 0;
      }
    `];constructor(){super(),this.link=this.until=this.error=""}open(){this.link=this.error="",this.renderRoot.querySelector("dialog")?.showModal()}render(){return y`<dialog aria-labelledby="title">
      <form method="dialog" @submit=${this.#t}>
        <h2 id="title">Share this job</h2>
        <p class="muted">Whoever has the link sees this job and its children, and nothing else.</p>
        <label for="ttl">For</label>
        <select id="ttl">
          ${Se.map(([e,t])=>y`<option value=${e}>${t}</option>`)}
        </select>
        <label><input type="checkbox" id="cancel" /> may also cancel it</label>
        ${this.error?y`<p class="failed" role="alert">${this.error}</p>`:q}
        ${this.link?y`<div class="link">
                  <input
                    readonly
                    aria-label="link"
                    .value=${this.link}
                    @focus=${e=>{e.target.select()}}
                  />
                  <milepost-copy .text=${this.link} .label=${"copy the link"}></milepost-copy>
                </div>
                <p class="muted">until ${this.until}</p>`:q}
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
    </dialog>`}#t=async e=>{e.preventDefault();let{store:t}=this;if(!t)return;let o=Number(this.renderRoot.querySelector("select")?.value),s=["read"];this.renderRoot.querySelector("#cancel")?.checked&&s.push("cancel");try{let{token:i,expireTime:n}=await t.server.client.shareJob(t.jobId,{ttlMs:o*1e3,scopes:s});this.link=`${t.server.jobAddress(t.jobId).split("#")[0]??""}#token=${i}`,this.until=n?xe($e(n)).replace(/\.\d+/,""):"it expires",this.error=""}catch(i){this.error=i instanceof Error?i.message:String(i)}}};var S=`milepost share ${location.pathname}`;function j(){let r=new URLSearchParams(location.hash.slice(1)),e=r.get("token");if(!e)return w()?.getItem(S)??void 0;let t=w();return t&&(t.setItem(S,e),C(r)),e}function I(){addEventListener("hashchange",()=>{new URLSearchParams(location.hash.slice(1)).has("token")&&location.reload()})}function P(){w()?.removeItem(S),C(new URLSearchParams(location.hash.slice(1)))}function C(r){r.delete("token");let e=r.size>0?`#${r.toString()}`:"";history.replaceState(history.state,"",location.pathname+location.search+e)}function w(){try{return sessionStorage}catch{return}}import{pageParts as we}from"./elements.js";var{LitElement:Ee,css:Re,html:E,nothing:U,serverAt:Le,sharedStyles:Te}=we,g=class extends Ee{static properties={error:{state:!0},message:{},shared:{type:Boolean}};static styles=[Te,Re`
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
    `];constructor(){super(),this.error=this.message="",this.shared=!1}render(){return E`<form @submit=${this.#t}>
      <h1>Sign in</h1>
      ${this.message?E`<p role="status">${this.message}</p>`:U}
      <p class="muted">
        ${this.shared?"With a token of your own you need no link.":"This server needs a token."} Its
        operator makes one with <code>milepost token create</code>.
      </p>
      <div class="line">
        <input type="password" autocomplete="off" aria-label="token" placeholder="token" required />
        <button class="primary">Sign in</button>
      </div>
      ${this.error?E`<p class="failed" role="alert">${this.error}</p>`:U}
    </form>`}#t=async e=>{e.preventDefault();let t=this.renderRoot.querySelector("input")?.value.trim()??"";try{let o=await fetch(`${Le().address}v1/session`,{method:"POST",headers:{Authorization:`Bearer ${t}`}});if(o.ok){P(),location.reload();return}let s=await o.json();this.error=s.error?.message??`The server refused it (${o.status}).`}catch(o){this.error=`The server cannot be reached: ${String(o)}`}}};var M=j();I();qe({server:new URL("..",import.meta.url).href,...M?{sharedToken:M}:{}});customElements.define("milepost-key-help",h);customElements.define("milepost-share-sheet",v);customElements.define("milepost-sign-in",g);customElements.define("milepost-list-page",u);customElements.define("milepost-job-page",p);
