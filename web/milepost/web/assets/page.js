import{setDefaultServer as j}from"./elements.js";import{pageParts as p}from"./elements.js";import{pageParts as l}from"./elements.js";var{css:c}=l,s=c`
  nav {
    position: sticky;
    top: 0;
    z-index: 2;
    display: flex;
    align-items: center;
    gap: 8px;
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
  }
  main {
    max-width: 1440px;
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
    white-space: nowrap;
  }
  @media (max-width: 639px) {
    nav {
      padding: 8px 12px;
      flex-wrap: wrap;
    }
    main {
      padding: 12px;
    }
    .command,
    .event {
      display: none;
    }
  }
`;var{LitElement:d,html:r,nothing:m,serverAt:h,ticker:u,chipIcon:v,chipOf:g,grouped:b,oneLine:i,jobLook:x,sharedStyles:w,Keyboard:f,isForeignKey:y,wholePercent:k,isKnown:$}=p,a=class extends d{static styles=[w,s];#e=h().job(decodeURIComponent(location.pathname.split("/").at(-1)??""));#a=new f;#t=[];connectedCallback(){super.connectedCallback();let e=()=>{this.requestUpdate()};this.#t=[this.#e.subscribe(e),u.add(e)],document.addEventListener("keydown",this.#o)}disconnectedCallback(){super.disconnectedCallback();for(let e of this.#t)e();document.removeEventListener("keydown",this.#o)}render(){let e=this.#e,{job:o,server:t}=e,n=g(e.connection,t.clock.now());return this.#n(),r`
      <nav aria-label="place">
        <a href=${t.address}>milepost</a><span class="muted" aria-hidden="true">/</span>
        <a class="foreign cut" href=${`${t.address}?kind=${encodeURIComponent(o?.kind??"")}`}
          >${i(o?.kind??"\u2026",64)}</a
        >
        <span class="chip ${n.stale?"stale":""}" role="status"
          >${v(n.shape)} ${n.text}</span
        >
        ${o?r`<span class="event muted" title="cursor ${e.epoch}:${o.lastSequence}"
                  >event ${b(o.lastSequence)}
                  <milepost-copy
                    .text=${`${e.epoch}:${o.lastSequence}`}
                    .label=${"copy the cursor of the newest event"}
                  ></milepost-copy
                ></span>
                <milepost-copy
                  class="command"
                  .text=${`milepost watch ${e.jobId}`}
                  .label=${"copy the command that shows this job in a terminal"}
                  ><span class="mono">milepost watch</span></milepost-copy
                >`:m}
      </nav>
      <main>
        <milepost-job log="full" cancel .store=${e}></milepost-job>
      </main>
    `}#n(){let{job:e}=this.#e;if(!e)return;let o=$(e)?` ${k(e.fraction)} %`:"";document.title=`${x(e.state).word}${o} \xB7 ${i(e.kind,64)}`}get#s(){return this.renderRoot.querySelector("milepost-job")}#o=e=>{if(y(e))return;let o=this.#a.press(e.key,performance.now()),t=this.#s;if(!(!o||!t)){switch(o){case"search":t.show("log"),t.updateComplete.then(()=>t.logView?.search());break;case"next":t.stages?.move(1);break;case"previous":t.stages?.move(-1);break;case"toggle":t.stages?.toggle();break;case"follow":t.logView?.toggleFollow();break;case"cancel":t.askToCancel();break;case"list":location.href=this.#e.server.address;break;default:return}e.preventDefault()}}};j(new URL("..",import.meta.url).href);customElements.define("milepost-job-page",a);
