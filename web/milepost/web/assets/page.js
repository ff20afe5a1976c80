import{configure as xe}from"./elements.js";import{pageParts as C}from"./elements.js";import{pageParts as L}from"./elements.js";var{css:I}=L,a=I`
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
`;var{LitElement:K,html:n,nothing:l,serverAt:M,ticker:P,chipIcon:J,chipOf:U,grouped:_,oneLine:g,jobLook:O,sharedStyles:A,Keyboard:F,isForeignKey:H,wholePercent:z,isKnown:D}=C;function N(s){let e=s.split("/").at(-1)??"";try{return decodeURIComponent(e)}catch{return e}}function x(){let s=Number(new URLSearchParams(location.hash.slice(1)).get("line"));return Number.isSafeInteger(s)?Math.max(s,0):0}var c=class extends K{static styles=[A,a];#e=M().job(N(location.pathname));#o=new F;#t=x();#s=[];connectedCallback(){super.connectedCallback();let e=()=>{this.requestUpdate()};this.#s=[this.#e.subscribe(e),P.add(e)],document.addEventListener("keydown",this.#c),addEventListener("hashchange",this.#r)}disconnectedCallback(){super.disconnectedCallback();for(let e of this.#s)e();document.removeEventListener("keydown",this.#c),removeEventListener("hashchange",this.#r)}render(){let e=this.#e,{job:t,server:o}=e,i=U(e.connection,o.clock.now()),r=e.connection.state==="missing";return this.#i(),n`
      <nav aria-label="place">
        <a href=${o.address}>milepost</a><span class="muted crumb" aria-hidden="true">/</span>
        <a class="foreign cut crumb" href=${`${o.address}?kind=${encodeURIComponent(t?.kind??"")}`}
          >${g(t?.kind??(r?e.jobId:"\u2026"),64)}</a
        >
        <span class="chip ${i.tone}" role="status">${J(i.shape)} ${i.text}</span>
        ${t?n`<span class="event muted" title="cursor ${e.epoch}:${t.lastSequence}"
                  >event ${_(t.lastSequence)}
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
        ${e.connection.state==="unauthenticated"?n`<milepost-sign-in message=${e.connection.error}></milepost-sign-in>`:t?l:n`<h1 class="hidden-text">Job ${g(e.jobId)}</h1>`}
        <milepost-job
          log="full"
          cancel
          .line=${this.#t}
          .store=${e}
          @milepost-line=${this.#l}
        ></milepost-job>
        ${r?n`<p><a href=${o.address}>Show all jobs</a></p>`:l}
      </main>
      <milepost-share-sheet .store=${e}></milepost-share-sheet>
      <milepost-key-help></milepost-key-help>
    `}#i(){let{job:e}=this.#e;if(!e)return;let t=D(e)?` ${z(e.fraction)} %`:"";document.title=`${O(e.state).word}${t} \xB7 ${g(e.kind,64)}`}get#a(){return this.renderRoot.querySelector("milepost-job")}#r=()=>{this.#t=x(),this.requestUpdate()};#l=e=>{this.#t=e.detail.line;let t=this.#t>0?`#line=${this.#t}`:"";history.replaceState(history.state,"",`${location.pathname}${location.search}${t}`),this.requestUpdate()};#n=()=>{this.renderRoot.querySelector("milepost-share-sheet")?.open()};#c=e=>{if(H(e))return;let t=this.#o.press(e.key,e.timeStamp),o=this.#a;if(!(!t||!o)){switch(t){case"search":o.show("log"),o.updateComplete.then(()=>o.logView?.search());break;case"next":o.stages?.move(1);break;case"previous":o.stages?.move(-1);break;case"toggle":o.stages?.toggle();break;case"follow":o.logView?.toggleFollow();break;case"cancel":o.askToCancel();break;case"list":location.href=this.#e.server.address;break;case"help":this.renderRoot.querySelector("milepost-key-help")?.toggle();break;default:return}e.preventDefault()}}};import{pageParts as W}from"./elements.js";var{LitElement:V,css:B,html:y,KEYS:Y,sharedStyles:G,dialogStyles:Q}=W,p=class extends V{static styles=[G,Q,B`
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
    `];toggle(){let e=this.renderRoot.querySelector("dialog");e?.open?e.close():e?.showModal()}render(){return y`<dialog aria-labelledby="title">
      <h2 id="title">Keys</h2>
      <dl>
        ${Y.map(([e,,t])=>y`<dt>${e.split(" ").map(o=>y`<kbd>${o}</kbd> `)}</dt>
              <dd>${t}</dd>`)}
      </dl>
      <form method="dialog" class="actions"><button>Close</button></form>
    </dialog>`}};import{pageParts as X}from"./elements.js";var{LitElement:Z,html:b,nothing:S,serverAt:ee,ticker:te,chipIcon:oe,chipOf:se,sharedStyles:re,Keyboard:ie,isForeignKey:ne,filterOf:w,queryOf:ae,needsWorkers:le}=X,d=class extends Z{static styles=[re,a];#e=new ie;#o=w(location.search);#t;#s=()=>{};#i=[];connectedCallback(){super.connectedCallback(),this.#i=[te.add(()=>{this.requestUpdate()})],document.addEventListener("keydown",this.#n),addEventListener("popstate",this.#r)}disconnectedCallback(){super.disconnectedCallback();for(let e of this.#i)e();this.#s(),this.#t=void 0,document.removeEventListener("keydown",this.#n),removeEventListener("popstate",this.#r)}render(){let e=ee(),t=e.jobs(this.#o);this.#a(t);let{connection:o}=t,i=o.state==="unauthenticated",r=se(o,e.clock.now());return b`<nav aria-label="place">
        <a href=${e.address} aria-current="page">milepost</a>
        <span class="chip ${r.tone}" role="status">${oe(r.shape)} ${r.text}</span>
      </nav>
      <main>
        <h1 class="hidden-text">Jobs</h1>
        ${i?b`<milepost-sign-in message=${o.error}></milepost-sign-in>`:S}
        <milepost-workers ?quiet=${!le(t.all())}></milepost-workers>
        ${i&&t.all().next().done?S:b`<milepost-jobs
                controls
                .filter=${this.#o}
                @milepost-filter=${this.#l}
              ></milepost-jobs>`}
      </main>
      <milepost-key-help></milepost-key-help>`}#a(e){if(e===this.#t)return;this.#t=e;let t=this.#s;this.#s=e.subscribe(()=>{this.requestUpdate()}),t()}#r=()=>{this.#o=w(location.search),this.requestUpdate()};#l=e=>{this.#o=e.detail.filter,history.replaceState(null,"",`${location.pathname}${ae(this.#o)}${location.hash}`),this.requestUpdate()};#n=e=>{let t=this.renderRoot.querySelector("milepost-jobs");if(!(!t||ne(e))){switch(this.#e.press(e.key,e.timeStamp)){case"search":t.search();break;case"next":t.move(1);break;case"previous":t.move(-1);break;case"toggle":t.open();break;case"help":this.renderRoot.querySelector("milepost-key-help")?.toggle();break;default:return}e.preventDefault()}}};import{pageParts as ce}from"./elements.js";var{LitElement:pe,css:de,html:h,nothing:E,sharedStyles:he,dialogStyles:me,absolute:ue,instantOf:ge}=ce,ye=[[900,"15 minutes"],[3600,"1 hour"],[86400,"1 day"],[7*86400,"7 days"]],m=class extends pe{static properties={store:{attribute:!1},link:{state:!0},until:{state:!0},error:{state:!0}};static styles=[he,me,de`
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
        ${this.error?h`<p class="failed" role="alert">${this.error}</p>`:E}
        ${this.link?h`<div class="link">
                  <input
                    readonly
                    aria-label="link"
                    .value=${this.link}
                    @focus=${e=>{e.target.select()}}
                  />
                  <milepost-copy .text=${this.link} .label=${"copy the link"}></milepost-copy>
                </div>
                <p class="muted">until ${this.until}</p>`:E}
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
    </dialog>`}#e=async e=>{e.preventDefault();let{store:t}=this;if(!t)return;let o=Number(this.renderRoot.querySelector("select")?.value),i=["read"];this.renderRoot.querySelector("#cancel")?.checked&&i.push("cancel");try{let{token:r,expireTime:$}=await t.server.client.shareJob(t.jobId,{ttlMs:o*1e3,scopes:i});this.link=`${t.server.jobAddress(t.jobId).split("#")[0]??""}#token=${r}`,this.until=$?ue(ge($)).replace(/\.\d+/,""):"it expires",this.error=""}catch(r){this.error=r instanceof Error?r.message:String(r)}}};var f=`milepost share ${location.pathname}`;function R(){let s=new URLSearchParams(location.hash.slice(1)),e=s.get("token");if(!e)return v()?.getItem(f)??void 0;let t=v();if(!t)return e;t.setItem(f,e),s.delete("token");let o=s.size>0?`#${s.toString()}`:"";return history.replaceState(history.state,"",location.pathname+location.search+o),e}function T(){v()?.removeItem(f)}function v(){try{return sessionStorage}catch{return}}import{pageParts as be}from"./elements.js";var{LitElement:fe,css:ve,html:k,nothing:j,serverAt:ke,sharedStyles:$e}=be,u=class extends fe{static properties={error:{state:!0},message:{}};static styles=[$e,ve`
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
    `];constructor(){super(),this.error=this.message=""}render(){return k`<form @submit=${this.#e}>
      <h1>Sign in</h1>
      <p class="muted">
        This server needs a token. Whoever runs it makes one with <code>milepost token create</code>.
      </p>
      ${this.message?k`<p class="muted">${this.message}</p>`:j}
      <div class="line">
        <input type="password" autocomplete="off" aria-label="token" placeholder="token" required />
        <button class="primary">Sign in</button>
      </div>
      ${this.error?k`<p class="failed" role="alert">${this.error}</p>`:j}
    </form>`}#e=async e=>{e.preventDefault();let t=this.renderRoot.querySelector("input")?.value.trim()??"";try{let o=await fetch(`${ke().address}v1/session`,{method:"POST",headers:{Authorization:`Bearer ${t}`}});if(o.ok){T(),history.replaceState(null,"",location.pathname+location.search),location.reload();return}let i=await o.json();this.error=i.error?.message??`The server refused it (${o.status}).`}catch(o){this.error=`The server cannot be reached: ${String(o)}`}}};var q=R();xe({server:new URL("..",import.meta.url).href,...q?{sharedToken:q}:{}});customElements.define("milepost-key-help",p);customElements.define("milepost-share-sheet",m);customElements.define("milepost-sign-in",u);customElements.define("milepost-list-page",d);customElements.define("milepost-job-page",c);
