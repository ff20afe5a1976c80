import{configure as xe}from"./elements.js";import{pageParts as q}from"./elements.js";import{pageParts as j}from"./elements.js";var{css:E}=j,n=E`
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
`;var{LitElement:L,html:a,nothing:l,serverAt:I,ticker:C,chipIcon:K,chipOf:J,grouped:M,oneLine:y,jobLook:P,sharedStyles:_,Keyboard:U,isForeignKey:O,wholePercent:A,isKnown:F}=q;function H(s){let e=s.split("/").at(-1)??"";try{return decodeURIComponent(e)}catch{return e}}var p=class extends L{static styles=[_,n];#e=I().job(H(location.pathname));#t=new U;#o=[];connectedCallback(){super.connectedCallback();let e=()=>{this.requestUpdate()};this.#o=[this.#e.subscribe(e),C.add(e)],document.addEventListener("keydown",this.#s)}disconnectedCallback(){super.disconnectedCallback();for(let e of this.#o)e();document.removeEventListener("keydown",this.#s)}render(){let e=this.#e,{job:t,server:o}=e,r=J(e.connection,o.clock.now()),i=e.connection.state==="missing";return this.#r(),a`
      <nav aria-label="place">
        <a href=${o.address}>milepost</a><span class="muted crumb" aria-hidden="true">/</span>
        <a class="foreign cut crumb" href=${`${o.address}?kind=${encodeURIComponent(t?.kind??"")}`}
          >${y(t?.kind??(i?e.jobId:"\u2026"),64)}</a
        >
        <span class="chip ${r.tone}" role="status">${K(r.shape)} ${r.text}</span>
        ${t?a`<span class="event muted" title="cursor ${e.epoch}:${t.lastSequence}"
                  >event ${M(t.lastSequence)}
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
                ${o.may("share")?a`<button @click=${this.#a}>share…</button>`:l}`:l}
      </nav>
      <main>
        ${e.connection.state==="unauthenticated"?a`<milepost-sign-in message=${e.connection.error}></milepost-sign-in>`:t?l:a`<h1 class="hidden-text">Job ${y(e.jobId)}</h1>`}
        <milepost-job log="full" cancel .store=${e}></milepost-job>
        ${i?a`<p><a href=${o.address}>Show all jobs</a></p>`:l}
      </main>
      <milepost-share-sheet .store=${e}></milepost-share-sheet>
      <milepost-key-help></milepost-key-help>
    `}#r(){let{job:e}=this.#e;if(!e)return;let t=F(e)?` ${A(e.fraction)} %`:"";document.title=`${P(e.state).word}${t} \xB7 ${y(e.kind,64)}`}get#i(){return this.renderRoot.querySelector("milepost-job")}#a=()=>{this.renderRoot.querySelector("milepost-share-sheet")?.open()};#s=e=>{if(O(e))return;let t=this.#t.press(e.key,e.timeStamp),o=this.#i;if(!(!t||!o)){switch(t){case"search":o.show("log"),o.updateComplete.then(()=>o.logView?.search());break;case"next":o.stages?.move(1);break;case"previous":o.stages?.move(-1);break;case"toggle":o.stages?.toggle();break;case"follow":o.logView?.toggleFollow();break;case"cancel":o.askToCancel();break;case"list":location.href=this.#e.server.address;break;case"help":this.renderRoot.querySelector("milepost-key-help")?.toggle();break;default:return}e.preventDefault()}}};import{pageParts as D}from"./elements.js";var{LitElement:z,css:V,html:g,KEYS:W,sharedStyles:B,dialogStyles:N}=D,c=class extends z{static styles=[B,N,V`
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
    </dialog>`}};import{pageParts as Y}from"./elements.js";var{LitElement:G,html:k,nothing:Q,serverAt:X,ticker:Z,chipIcon:ee,chipOf:te,sharedStyles:oe,Keyboard:re,isForeignKey:se,filterOf:x,queryOf:ie,needsWorkers:ae}=Y,d=class extends G{static styles=[oe,n];#e=new re;#t=x(location.search);#o;#r=()=>{};#i=[];connectedCallback(){super.connectedCallback(),this.#i=[Z.add(()=>{this.requestUpdate()})],document.addEventListener("keydown",this.#n),addEventListener("popstate",this.#s)}disconnectedCallback(){super.disconnectedCallback();for(let e of this.#i)e();this.#r(),this.#o=void 0,document.removeEventListener("keydown",this.#n),removeEventListener("popstate",this.#s)}render(){let e=X(),t=e.jobs(this.#t);this.#a(t);let{connection:o}=t,r=te(o,e.clock.now());return k`<nav aria-label="place">
        <a href=${e.address} aria-current="page">milepost</a>
        <span class="chip ${r.tone}" role="status">${ee(r.shape)} ${r.text}</span>
      </nav>
      <main>
        <h1 class="hidden-text">Jobs</h1>
        ${o.state==="unauthenticated"?k`<milepost-sign-in message=${o.error}></milepost-sign-in>`:Q}
        <milepost-workers ?quiet=${!ae(t.all())}></milepost-workers>
        <milepost-jobs controls .filter=${this.#t} @milepost-filter=${this.#l}></milepost-jobs>
      </main>
      <milepost-key-help></milepost-key-help>`}#a(e){if(e===this.#o)return;this.#o=e;let t=this.#r;this.#r=e.subscribe(()=>{this.requestUpdate()}),t()}#s=()=>{this.#t=x(location.search),this.requestUpdate()};#l=e=>{this.#t=e.detail.filter,history.replaceState(null,"",`${location.pathname}${ie(this.#t)}${location.hash}`),this.requestUpdate()};#n=e=>{let t=this.renderRoot.querySelector("milepost-jobs");if(!(!t||se(e))){switch(this.#e.press(e.key,e.timeStamp)){case"search":t.search();break;case"next":t.move(1);break;case"previous":t.move(-1);break;case"toggle":t.open();break;case"help":this.renderRoot.querySelector("milepost-key-help")?.toggle();break;default:return}e.preventDefault()}}};import{pageParts as ne}from"./elements.js";var{LitElement:le,css:pe,html:h,nothing:$,sharedStyles:ce,dialogStyles:de,absolute:he,instantOf:me}=ne,ue=[[900,"15 minutes"],[3600,"1 hour"],[86400,"1 day"],[7*86400,"7 days"]],m=class extends le{static properties={store:{attribute:!1},link:{state:!0},until:{state:!0},error:{state:!0}};static styles=[ce,de,pe`
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
          ${ue.map(([e,t])=>h`<option value=${e}>${t}</option>`)}
        </select>
        <label><input type="checkbox" id="cancel" /> may also cancel it</label>
        ${this.error?h`<p class="failed" role="alert">${this.error}</p>`:$}
        ${this.link?h`<div class="link">
                  <input
                    readonly
                    aria-label="link"
                    .value=${this.link}
                    @focus=${e=>{e.target.select()}}
                  />
                  <milepost-copy .text=${this.link} .label=${"copy the link"}></milepost-copy>
                </div>
                <p class="muted">until ${this.until}</p>`:$}
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
    </dialog>`}#e=async e=>{e.preventDefault();let{store:t}=this;if(!t)return;let o=Number(this.renderRoot.querySelector("select")?.value),r=["read"];this.renderRoot.querySelector("#cancel")?.checked&&r.push("cancel");try{let{token:i,expireTime:v}=await t.server.client.shareJob(t.jobId,{ttlMs:o*1e3,scopes:r});this.link=`${t.server.jobAddress(t.jobId).split("#")[0]??""}#token=${i}`,this.until=v?he(me(v)).replace(/\.\d+/,""):"it expires",this.error=""}catch(i){this.error=i instanceof Error?i.message:String(i)}}};var b=`milepost share ${location.pathname}`;function S(){let s=new URLSearchParams(location.hash.slice(1)).get("token");if(!s)return f()?.getItem(b)??void 0;let e=f();return e&&(e.setItem(b,s),history.replaceState(history.state,"",location.pathname+location.search)),s}function w(){f()?.removeItem(b)}function f(){try{return sessionStorage}catch{return}}import{pageParts as ye}from"./elements.js";var{LitElement:ge,css:be,html:R,nothing:fe,serverAt:ve,sharedStyles:ke}=ye,u=class extends ge{static properties={error:{state:!0},message:{}};static styles=[ke,be`
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
      ${this.error?R`<p class="failed" role="alert">${this.error}</p>`:fe}
    </form>`}#e=async e=>{e.preventDefault();let t=this.renderRoot.querySelector("input")?.value.trim()??"";try{let o=await fetch(`${ve().address}v1/session`,{method:"POST",headers:{Authorization:`Bearer ${t}`}});if(o.ok){w(),history.replaceState(null,"",location.pathname+location.search),location.reload();return}let r=await o.json();this.error=r.error?.message??`The server refused it (${o.status}).`}catch(o){this.error=`The server cannot be reached: ${String(o)}`}}};var T=S();xe({server:new URL("..",import.meta.url).href,...T?{sharedToken:T}:{}});customElements.define("milepost-key-help",c);customElements.define("milepost-share-sheet",m);customElements.define("milepost-sign-in",u);customElements.define("milepost-list-page",d);customElements.define("milepost-job-page",p);
