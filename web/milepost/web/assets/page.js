import{configure as xe}from"./elements.js";import{pageParts as L}from"./elements.js";import{pageParts as j}from"./elements.js";var{css:q}=j,a=q`
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
  :host {
    --milepost-log-height: max(300px, 100vh - 160px);
    --milepost-list-height: max(300px, 100vh - 180px);
  }
  main {
    max-width: 2200px;
    margin: 0 auto;
    padding: 16px 24px 48px;
  }
  .chip {
    margin-inline-start: auto;
    padding: 0 8px;
    border: 1px solid var(--_line);
    border-radius: 12px;
    line-height: 22px;
    white-space: nowrap;
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
  @media (max-width: 639px) {
    nav {
      padding: 8px 12px;
    }
    main {
      padding: 12px;
    }
    .command,
    .crumb,
    .event {
      display: none;
    }
  }
`;var{LitElement:I,html:n,nothing:l,serverAt:C,ticker:K,chipIcon:M,chipOf:P,grouped:J,oneLine:y,jobLook:U,sharedStyles:_,Keyboard:O,isForeignKey:A,wholePercent:F,isKnown:H}=L;function z(r){let e=r.split("/").at(-1)??"";try{return decodeURIComponent(e)}catch{return e}}function k(){let r=Number(new URLSearchParams(location.hash.slice(1)).get("line"));return Number.isSafeInteger(r)?Math.max(r,0):0}var c=class extends I{static styles=[_,a];#e=C().job(z(location.pathname));#o=new O;#t=k();#r=[];connectedCallback(){super.connectedCallback();let e=()=>{this.requestUpdate()};this.#r=[this.#e.subscribe(e),K.add(e)],document.addEventListener("keydown",this.#c),addEventListener("hashchange",this.#s)}disconnectedCallback(){super.disconnectedCallback();for(let e of this.#r)e();document.removeEventListener("keydown",this.#c),removeEventListener("hashchange",this.#s)}render(){let e=this.#e,{job:t,server:o}=e,s=P(e.connection,o.clock.now()),i=e.connection.state==="missing";return this.#i(),n`
      <nav aria-label="place">
        <a href=${o.address}>milepost</a><span class="muted crumb" aria-hidden="true">/</span>
        <a class="foreign cut crumb" href=${`${o.address}?kind=${encodeURIComponent(t?.kind??"")}`}
          >${y(t?.kind??(i?e.jobId:"\u2026"),64)}</a
        >
        <span class="chip ${s.tone}" role="status">${M(s.shape)} ${s.text}</span>
        ${t?n`<span class="event muted" title="cursor ${e.epoch}:${t.lastSequence}"
                  >event ${J(t.lastSequence)}
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
                ${o.may("share")?n`<button @click=${this.#n}>share…</button>`:l}`:l}
      </nav>
      <main>
        ${e.connection.state==="unauthenticated"?n`<milepost-sign-in message=${e.connection.error}></milepost-sign-in>`:t?l:n`<h1 class="hidden-text">Job ${y(e.jobId)}</h1>`}
        <milepost-job
          log="full"
          cancel
          .line=${this.#t}
          .store=${e}
          @milepost-line=${this.#l}
        ></milepost-job>
        ${i?n`<p><a href=${o.address}>Show all jobs</a></p>`:l}
      </main>
      <milepost-share-sheet .store=${e}></milepost-share-sheet>
      <milepost-key-help></milepost-key-help>
    `}#i(){let{job:e}=this.#e;if(!e)return;let t=H(e)?` ${F(e.fraction)} %`:"";document.title=`${U(e.state).word}${t} \xB7 ${y(e.kind,64)}`}get#a(){return this.renderRoot.querySelector("milepost-job")}#s=()=>{this.#t=k(),this.requestUpdate()};#l=e=>{this.#t=e.detail.line;let t=this.#t>0?`#line=${this.#t}`:"";history.replaceState(history.state,"",`${location.pathname}${location.search}${t}`),this.requestUpdate()};#n=()=>{this.renderRoot.querySelector("milepost-share-sheet")?.open()};#c=e=>{if(A(e))return;let t=this.#o.press(e.key,e.timeStamp),o=this.#a;if(!(!t||!o)){switch(t){case"search":o.show("log"),o.updateComplete.then(()=>o.logView?.search());break;case"next":o.stages?.move(1);break;case"previous":o.stages?.move(-1);break;case"toggle":o.stages?.toggle();break;case"follow":o.logView?.toggleFollow();break;case"cancel":o.askToCancel();break;case"list":location.href=this.#e.server.address;break;case"help":this.renderRoot.querySelector("milepost-key-help")?.toggle();break;default:return}e.preventDefault()}}};import{pageParts as D}from"./elements.js";var{LitElement:N,css:V,html:g,KEYS:W,sharedStyles:B,dialogStyles:Y}=D,p=class extends N{static styles=[B,Y,V`
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
    `];toggle(){let e=this.renderRoot.querySelector("dialog");e?.open?e.close():e?.showModal()}render(){return g`<dialog aria-labelledby="title">
      <h2 id="title">Keys</h2>
      <dl>
        ${W.map(([e,,t])=>g`<dt>${e.split(" ").map(o=>g`<kbd>${o}</kbd> `)}</dt>
              <dd>${t}</dd>`)}
      </dl>
      <form method="dialog" class="actions"><button>Close</button></form>
    </dialog>`}};import{pageParts as G}from"./elements.js";var{LitElement:Q,html:$,nothing:X,serverAt:Z,ticker:ee,chipIcon:te,chipOf:oe,sharedStyles:re,Keyboard:se,isForeignKey:ie,filterOf:x,queryOf:ne,needsWorkers:ae}=G,d=class extends Q{static styles=[re,a];#e=new se;#o=x(location.search);#t;#r=()=>{};#i=[];connectedCallback(){super.connectedCallback(),this.#i=[ee.add(()=>{this.requestUpdate()})],document.addEventListener("keydown",this.#n),addEventListener("popstate",this.#s)}disconnectedCallback(){super.disconnectedCallback();for(let e of this.#i)e();this.#r(),this.#t=void 0,document.removeEventListener("keydown",this.#n),removeEventListener("popstate",this.#s)}render(){let e=Z(),t=e.jobs(this.#o);this.#a(t);let{connection:o}=t,s=oe(o,e.clock.now());return $`<nav aria-label="place">
        <a href=${e.address} aria-current="page">milepost</a>
        <span class="chip ${s.tone}" role="status">${te(s.shape)} ${s.text}</span>
      </nav>
      <main>
        <h1 class="hidden-text">Jobs</h1>
        ${o.state==="unauthenticated"?$`<milepost-sign-in message=${o.error}></milepost-sign-in>`:X}
        <milepost-workers ?quiet=${!ae(t.all())}></milepost-workers>
        <milepost-jobs controls .filter=${this.#o} @milepost-filter=${this.#l}></milepost-jobs>
      </main>
      <milepost-key-help></milepost-key-help>`}#a(e){if(e===this.#t)return;this.#t=e;let t=this.#r;this.#r=e.subscribe(()=>{this.requestUpdate()}),t()}#s=()=>{this.#o=x(location.search),this.requestUpdate()};#l=e=>{this.#o=e.detail.filter,history.replaceState(null,"",`${location.pathname}${ne(this.#o)}${location.hash}`),this.requestUpdate()};#n=e=>{let t=this.renderRoot.querySelector("milepost-jobs");if(!(!t||ie(e))){switch(this.#e.press(e.key,e.timeStamp)){case"search":t.search();break;case"next":t.move(1);break;case"previous":t.move(-1);break;case"toggle":t.open();break;case"help":this.renderRoot.querySelector("milepost-key-help")?.toggle();break;default:return}e.preventDefault()}}};import{pageParts as le}from"./elements.js";var{LitElement:ce,css:pe,html:h,nothing:S,sharedStyles:de,dialogStyles:he,absolute:me,instantOf:ue}=le,ye=[[900,"15 minutes"],[3600,"1 hour"],[86400,"1 day"],[7*86400,"7 days"]],m=class extends ce{static properties={store:{attribute:!1},link:{state:!0},until:{state:!0},error:{state:!0}};static styles=[de,he,pe`
      .link {
        display: flex;
        gap: 8px;
        margin-top: 12px;
      }
      .link input {
        flex: 1;
        min-width: 0;
      }
    `];constructor(){super(),this.link=this.until=this.error=""}open(){this.link=this.error="",this.renderRoot.querySelector("dialog")?.showModal()}render(){return h`<dialog aria-labelledby="title">
      <form method="dialog" @submit=${this.#e}>
        <h2 id="title">Share this job</h2>
        <p class="muted">Whoever has the link sees this job and its children, and nothing else.</p>
        <label for="ttl">For</label>
        <select id="ttl">
          ${ye.map(([e,t])=>h`<option value=${e}>${t}</option>`)}
        </select>
        <label><input type="checkbox" id="cancel" /> may also cancel it</label>
        ${this.error?h`<p class="failed" role="alert">${this.error}</p>`:S}
        ${this.link?h`<div class="link">
                  <input
                    readonly
                    aria-label="link"
                    .value=${this.link}
                    @focus=${e=>{e.target.select()}}
                  />
                  <milepost-copy .text=${this.link} .label=${"copy the link"}></milepost-copy>
                </div>
                <p class="muted">until ${this.until}</p>`:S}
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
    </dialog>`}#e=async e=>{e.preventDefault();let{store:t}=this;if(!t)return;let o=Number(this.renderRoot.querySelector("select")?.value),s=["read"];this.renderRoot.querySelector("#cancel")?.checked&&s.push("cancel");try{let{token:i,expireTime:v}=await t.server.client.shareJob(t.jobId,{ttlMs:o*1e3,scopes:s});this.link=`${t.server.jobAddress(t.jobId).split("#")[0]??""}#token=${i}`,this.until=v?me(ue(v)).replace(/\.\d+/,""):"it expires",this.error=""}catch(i){this.error=i instanceof Error?i.message:String(i)}}};var b=`milepost share ${location.pathname}`;function w(){let r=new URLSearchParams(location.hash.slice(1)),e=r.get("token");if(!e)return f()?.getItem(b)??void 0;let t=f();if(!t)return e;t.setItem(b,e),r.delete("token");let o=r.size>0?`#${r.toString()}`:"";return history.replaceState(history.state,"",location.pathname+location.search+o),e}function E(){f()?.removeItem(b)}function f(){try{return sessionStorage}catch{return}}import{pageParts as ge}from"./elements.js";var{LitElement:be,css:fe,html:R,nothing:ve,serverAt:ke,sharedStyles:$e}=ge,u=class extends be{static properties={error:{state:!0},message:{}};static styles=[$e,fe`
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
    `];constructor(){super(),this.error=this.message=""}render(){return R`<form @submit=${this.#e}>
      <h1>Sign in</h1>
      <p class="muted">${this.message||"This server needs a token."}</p>
      <div class="line">
        <input type="password" autocomplete="off" aria-label="token" placeholder="token" required />
        <button class="primary">Sign in</button>
      </div>
      ${this.error?R`<p class="failed" role="alert">${this.error}</p>`:ve}
    </form>`}#e=async e=>{e.preventDefault();let t=this.renderRoot.querySelector("input")?.value.trim()??"";try{let o=await fetch(`${ke().address}v1/session`,{method:"POST",headers:{Authorization:`Bearer ${t}`}});if(o.ok){E(),history.replaceState(null,"",location.pathname+location.search),location.reload();return}let s=await o.json();this.error=s.error?.message??`The server refused it (${o.status}).`}catch(o){this.error=`The server cannot be reached: ${String(o)}`}}};var T=w();xe({server:new URL("..",import.meta.url).href,...T?{sharedToken:T}:{}});customElements.define("milepost-key-help",p);customElements.define("milepost-share-sheet",m);customElements.define("milepost-sign-in",u);customElements.define("milepost-list-page",d);customElements.define("milepost-job-page",c);
