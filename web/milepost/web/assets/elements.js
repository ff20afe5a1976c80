var jd=Object.defineProperty;var Hd=(t,e)=>{for(var n in e)jd(t,n,{get:e[n],enumerable:!0})};var hn=globalThis,gn=hn.ShadowRoot&&(hn.ShadyCSS===void 0||hn.ShadyCSS.nativeShadow)&&"adoptedStyleSheets"in Document.prototype&&"replace"in CSSStyleSheet.prototype,ho=Symbol(),ri=new WeakMap,Tt=class{constructor(e,n,r){if(this._$cssResult$=!0,r!==ho)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=e,this.t=n}get styleSheet(){let e=this.o,n=this.t;if(gn&&e===void 0){let r=n!==void 0&&n.length===1;r&&(e=ri.get(n)),e===void 0&&((this.o=e=new CSSStyleSheet).replaceSync(this.cssText),r&&ri.set(n,e))}return e}toString(){return this.cssText}},oi=t=>new Tt(typeof t=="string"?t:t+"",void 0,ho),L=(t,...e)=>{let n=t.length===1?t[0]:e.reduce((r,o,s)=>r+(i=>{if(i._$cssResult$===!0)return i.cssText;if(typeof i=="number")return i;throw Error("Value passed to 'css' function must be a 'css' function result: "+i+". Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.")})(o)+t[s+1],t[0]);return new Tt(n,t,ho)},si=(t,e)=>{if(gn)t.adoptedStyleSheets=e.map(n=>n instanceof CSSStyleSheet?n:n.styleSheet);else for(let n of e){let r=document.createElement("style"),o=hn.litNonce;o!==void 0&&r.setAttribute("nonce",o),r.textContent=n.cssText,t.appendChild(r)}},go=gn?t=>t:t=>t instanceof CSSStyleSheet?(e=>{let n="";for(let r of e.cssRules)n+=r.cssText;return oi(n)})(t):t;var{is:zd,defineProperty:Qd,getOwnPropertyDescriptor:qd,getOwnPropertyNames:eu,getOwnPropertySymbols:tu,getPrototypeOf:nu}=Object,bn=globalThis,ii=bn.trustedTypes,ru=ii?ii.emptyScript:"",ou=bn.reactiveElementPolyfillSupport,Ct=(t,e)=>t,bo={toAttribute(t,e){switch(e){case Boolean:t=t?ru:null;break;case Object:case Array:t=t==null?t:JSON.stringify(t)}return t},fromAttribute(t,e){let n=t;switch(e){case Boolean:n=t!==null;break;case Number:n=t===null?null:Number(t);break;case Object:case Array:try{n=JSON.parse(t)}catch{n=null}}return n}},li=(t,e)=>!zd(t,e),ai={attribute:!0,type:String,converter:bo,reflect:!1,useDefault:!1,hasChanged:li};Symbol.metadata??=Symbol("metadata"),bn.litPropertyMetadata??=new WeakMap;var he=class extends HTMLElement{static addInitializer(e){this._$Ei(),(this.l??=[]).push(e)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(e,n=ai){if(n.state&&(n.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(e)&&((n=Object.create(n)).wrapped=!0),this.elementProperties.set(e,n),!n.noAccessor){let r=Symbol(),o=this.getPropertyDescriptor(e,r,n);o!==void 0&&Qd(this.prototype,e,o)}}static getPropertyDescriptor(e,n,r){let{get:o,set:s}=qd(this.prototype,e)??{get(){return this[n]},set(i){this[n]=i}};return{get:o,set(i){let a=o?.call(this);s?.call(this,i),this.requestUpdate(e,a,r)},configurable:!0,enumerable:!0}}static getPropertyOptions(e){return this.elementProperties.get(e)??ai}static _$Ei(){if(this.hasOwnProperty(Ct("elementProperties")))return;let e=nu(this);e.finalize(),e.l!==void 0&&(this.l=[...e.l]),this.elementProperties=new Map(e.elementProperties)}static finalize(){if(this.hasOwnProperty(Ct("finalized")))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(Ct("properties"))){let n=this.properties,r=[...eu(n),...tu(n)];for(let o of r)this.createProperty(o,n[o])}let e=this[Symbol.metadata];if(e!==null){let n=litPropertyMetadata.get(e);if(n!==void 0)for(let[r,o]of n)this.elementProperties.set(r,o)}this._$Eh=new Map;for(let[n,r]of this.elementProperties){let o=this._$Eu(n,r);o!==void 0&&this._$Eh.set(o,n)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(e){let n=[];if(Array.isArray(e)){let r=new Set(e.flat(1/0).reverse());for(let o of r)n.unshift(go(o))}else e!==void 0&&n.push(go(e));return n}static _$Eu(e,n){let r=n.attribute;return r===!1?void 0:typeof r=="string"?r:typeof e=="string"?e.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(e=>this.enableUpdating=e),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(e=>e(this))}addController(e){(this._$EO??=new Set).add(e),this.renderRoot!==void 0&&this.isConnected&&e.hostConnected?.()}removeController(e){this._$EO?.delete(e)}_$E_(){let e=new Map,n=this.constructor.elementProperties;for(let r of n.keys())this.hasOwnProperty(r)&&(e.set(r,this[r]),delete this[r]);e.size>0&&(this._$Ep=e)}createRenderRoot(){let e=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return si(e,this.constructor.elementStyles),e}connectedCallback(){this.renderRoot??=this.createRenderRoot(),this.enableUpdating(!0),this._$EO?.forEach(e=>e.hostConnected?.())}enableUpdating(e){}disconnectedCallback(){this._$EO?.forEach(e=>e.hostDisconnected?.())}attributeChangedCallback(e,n,r){this._$AK(e,r)}_$ET(e,n){let r=this.constructor.elementProperties.get(e),o=this.constructor._$Eu(e,r);if(o!==void 0&&r.reflect===!0){let s=(r.converter?.toAttribute!==void 0?r.converter:bo).toAttribute(n,r.type);this._$Em=e,s==null?this.removeAttribute(o):this.setAttribute(o,s),this._$Em=null}}_$AK(e,n){let r=this.constructor,o=r._$Eh.get(e);if(o!==void 0&&this._$Em!==o){let s=r.getPropertyOptions(o),i=typeof s.converter=="function"?{fromAttribute:s.converter}:s.converter?.fromAttribute!==void 0?s.converter:bo;this._$Em=o;let a=i.fromAttribute(n,s.type);this[o]=a??this._$Ej?.get(o)??a,this._$Em=null}}requestUpdate(e,n,r,o=!1,s){if(e!==void 0){let i=this.constructor;if(o===!1&&(s=this[e]),r??=i.getPropertyOptions(e),!((r.hasChanged??li)(s,n)||r.useDefault&&r.reflect&&s===this._$Ej?.get(e)&&!this.hasAttribute(i._$Eu(e,r))))return;this.C(e,n,r)}this.isUpdatePending===!1&&(this._$ES=this._$EP())}C(e,n,{useDefault:r,reflect:o,wrapped:s},i){r&&!(this._$Ej??=new Map).has(e)&&(this._$Ej.set(e,i??n??this[e]),s!==!0||i!==void 0)||(this._$AL.has(e)||(this.hasUpdated||r||(n=void 0),this._$AL.set(e,n)),o===!0&&this._$Em!==e&&(this._$Eq??=new Set).add(e))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(n){Promise.reject(n)}let e=this.scheduleUpdate();return e!=null&&await e,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??=this.createRenderRoot(),this._$Ep){for(let[o,s]of this._$Ep)this[o]=s;this._$Ep=void 0}let r=this.constructor.elementProperties;if(r.size>0)for(let[o,s]of r){let{wrapped:i}=s,a=this[o];i!==!0||this._$AL.has(o)||a===void 0||this.C(o,void 0,s,a)}}let e=!1,n=this._$AL;try{e=this.shouldUpdate(n),e?(this.willUpdate(n),this._$EO?.forEach(r=>r.hostUpdate?.()),this.update(n)):this._$EM()}catch(r){throw e=!1,this._$EM(),r}e&&this._$AE(n)}willUpdate(e){}_$AE(e){this._$EO?.forEach(n=>n.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(e)),this.updated(e)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(e){return!0}update(e){this._$Eq&&=this._$Eq.forEach(n=>this._$ET(n,this[n])),this._$EM()}updated(e){}firstUpdated(e){}};he.elementStyles=[],he.shadowRootOptions={mode:"open"},he[Ct("elementProperties")]=new Map,he[Ct("finalized")]=new Map,ou?.({ReactiveElement:he}),(bn.reactiveElementVersions??=[]).push("2.1.2");var vo=globalThis,ci=t=>t,yn=vo.trustedTypes,di=yn?yn.createPolicy("lit-html",{createHTML:t=>t}):void 0,Eo="$lit$",ge=`lit$${Math.random().toFixed(9).slice(2)}$`,wo="?"+ge,su=`<${wo}>`,Be=document,_t=()=>Be.createComment(""),$t=t=>t===null||typeof t!="object"&&typeof t!="function",So=Array.isArray,gi=t=>So(t)||typeof t?.[Symbol.iterator]=="function",yo=`[ 	
\f\r]`,Lt=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,ui=/-->/g,pi=/>/g,De=RegExp(`>|${yo}(?:([^\\s"'>=/]+)(${yo}*=${yo}*(?:[^ 	
\f\r"'\`<>=]|("|')|))|$)`,"g"),mi=/'/g,fi=/"/g,bi=/^(?:script|style|textarea|title)$/i,xo=t=>(e,...n)=>({_$litType$:t,strings:e,values:n}),f=xo(1),P=xo(2),ih=xo(3),j=Symbol.for("lit-noChange"),h=Symbol.for("lit-nothing"),hi=new WeakMap,Fe=Be.createTreeWalker(Be,129);function yi(t,e){if(!So(t)||!t.hasOwnProperty("raw"))throw Error("invalid template strings array");return di!==void 0?di.createHTML(e):e}var vi=(t,e)=>{let n=t.length-1,r=[],o,s=e===2?"<svg>":e===3?"<math>":"",i=Lt;for(let a=0;a<n;a++){let l=t[a],c,d,m=-1,b=0;for(;b<l.length&&(i.lastIndex=b,d=i.exec(l),d!==null);)b=i.lastIndex,i===Lt?d[1]==="!--"?i=ui:d[1]!==void 0?i=pi:d[2]!==void 0?(bi.test(d[2])&&(o=RegExp("</"+d[2],"g")),i=De):d[3]!==void 0&&(i=De):i===De?d[0]===">"?(i=o??Lt,m=-1):d[1]===void 0?m=-2:(m=i.lastIndex-d[2].length,c=d[1],i=d[3]===void 0?De:d[3]==='"'?fi:mi):i===fi||i===mi?i=De:i===ui||i===pi?i=Lt:(i=De,o=void 0);let p=i===De&&t[a+1].startsWith("/>")?" ":"";s+=i===Lt?l+su:m>=0?(r.push(c),l.slice(0,m)+Eo+l.slice(m)+ge+p):l+ge+(m===-2?a:p)}return[yi(t,s+(t[n]||"<?>")+(e===2?"</svg>":e===3?"</math>":"")),r]},Mt=class t{constructor({strings:e,_$litType$:n},r){let o;this.parts=[];let s=0,i=0,a=e.length-1,l=this.parts,[c,d]=vi(e,n);if(this.el=t.createElement(c,r),Fe.currentNode=this.el.content,n===2||n===3){let m=this.el.content.firstChild;m.replaceWith(...m.childNodes)}for(;(o=Fe.nextNode())!==null&&l.length<a;){if(o.nodeType===1){if(o.hasAttributes())for(let m of o.getAttributeNames())if(m.endsWith(Eo)){let b=d[i++],p=o.getAttribute(m).split(ge),g=/([.?@])?(.*)/.exec(b);l.push({type:1,index:s,name:g[2],strings:p,ctor:g[1]==="."?En:g[1]==="?"?wn:g[1]==="@"?Sn:We}),o.removeAttribute(m)}else m.startsWith(ge)&&(l.push({type:6,index:s}),o.removeAttribute(m));if(bi.test(o.tagName)){let m=o.textContent.split(ge),b=m.length-1;if(b>0){o.textContent=yn?yn.emptyScript:"";for(let p=0;p<b;p++)o.append(m[p],_t()),Fe.nextNode(),l.push({type:2,index:++s});o.append(m[b],_t())}}}else if(o.nodeType===8)if(o.data===wo)l.push({type:2,index:s});else{let m=-1;for(;(m=o.data.indexOf(ge,m+1))!==-1;)l.push({type:7,index:s}),m+=ge.length-1}s++}}static createElement(e,n){let r=Be.createElement("template");return r.innerHTML=e,r}};function Ve(t,e,n=t,r){if(e===j)return e;let o=r!==void 0?n._$Co?.[r]:n._$Cl,s=$t(e)?void 0:e._$litDirective$;return o?.constructor!==s&&(o?._$AO?.(!1),s===void 0?o=void 0:(o=new s(t),o._$AT(t,n,r)),r!==void 0?(n._$Co??=[])[r]=o:n._$Cl=o),o!==void 0&&(e=Ve(t,o._$AS(t,e.values),o,r)),e}var vn=class{constructor(e,n){this._$AV=[],this._$AN=void 0,this._$AD=e,this._$AM=n}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(e){let{el:{content:n},parts:r}=this._$AD,o=(e?.creationScope??Be).importNode(n,!0);Fe.currentNode=o;let s=Fe.nextNode(),i=0,a=0,l=r[0];for(;l!==void 0;){if(i===l.index){let c;l.type===2?c=new tt(s,s.nextSibling,this,e):l.type===1?c=new l.ctor(s,l.name,l.strings,this,e):l.type===6&&(c=new xn(s,this,e)),this._$AV.push(c),l=r[++a]}i!==l?.index&&(s=Fe.nextNode(),i++)}return Fe.currentNode=Be,o}p(e){let n=0;for(let r of this._$AV)r!==void 0&&(r.strings!==void 0?(r._$AI(e,r,n),n+=r.strings.length-2):r._$AI(e[n])),n++}},tt=class t{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(e,n,r,o){this.type=2,this._$AH=h,this._$AN=void 0,this._$AA=e,this._$AB=n,this._$AM=r,this.options=o,this._$Cv=o?.isConnected??!0}get parentNode(){let e=this._$AA.parentNode,n=this._$AM;return n!==void 0&&e?.nodeType===11&&(e=n.parentNode),e}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(e,n=this){e=Ve(this,e,n),$t(e)?e===h||e==null||e===""?(this._$AH!==h&&this._$AR(),this._$AH=h):e!==this._$AH&&e!==j&&this._(e):e._$litType$!==void 0?this.$(e):e.nodeType!==void 0?this.T(e):gi(e)?this.k(e):this._(e)}O(e){return this._$AA.parentNode.insertBefore(e,this._$AB)}T(e){this._$AH!==e&&(this._$AR(),this._$AH=this.O(e))}_(e){this._$AH!==h&&$t(this._$AH)?this._$AA.nextSibling.data=e:this.T(Be.createTextNode(e)),this._$AH=e}$(e){let{values:n,_$litType$:r}=e,o=typeof r=="number"?this._$AC(e):(r.el===void 0&&(r.el=Mt.createElement(yi(r.h,r.h[0]),this.options)),r);if(this._$AH?._$AD===o)this._$AH.p(n);else{let s=new vn(o,this),i=s.u(this.options);s.p(n),this.T(i),this._$AH=s}}_$AC(e){let n=hi.get(e.strings);return n===void 0&&hi.set(e.strings,n=new Mt(e)),n}k(e){So(this._$AH)||(this._$AH=[],this._$AR());let n=this._$AH,r,o=0;for(let s of e)o===n.length?n.push(r=new t(this.O(_t()),this.O(_t()),this,this.options)):r=n[o],r._$AI(s),o++;o<n.length&&(this._$AR(r&&r._$AB.nextSibling,o),n.length=o)}_$AR(e=this._$AA.nextSibling,n){for(this._$AP?.(!1,!0,n);e!==this._$AB;){let r=ci(e).nextSibling;ci(e).remove(),e=r}}setConnected(e){this._$AM===void 0&&(this._$Cv=e,this._$AP?.(e))}},We=class{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(e,n,r,o,s){this.type=1,this._$AH=h,this._$AN=void 0,this.element=e,this.name=n,this._$AM=o,this.options=s,r.length>2||r[0]!==""||r[1]!==""?(this._$AH=Array(r.length-1).fill(new String),this.strings=r):this._$AH=h}_$AI(e,n=this,r,o){let s=this.strings,i=!1;if(s===void 0)e=Ve(this,e,n,0),i=!$t(e)||e!==this._$AH&&e!==j,i&&(this._$AH=e);else{let a=e,l,c;for(e=s[0],l=0;l<s.length-1;l++)c=Ve(this,a[r+l],n,l),c===j&&(c=this._$AH[l]),i||=!$t(c)||c!==this._$AH[l],c===h?e=h:e!==h&&(e+=(c??"")+s[l+1]),this._$AH[l]=c}i&&!o&&this.j(e)}j(e){e===h?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,e??"")}},En=class extends We{constructor(){super(...arguments),this.type=3}j(e){this.element[this.name]=e===h?void 0:e}},wn=class extends We{constructor(){super(...arguments),this.type=4}j(e){this.element.toggleAttribute(this.name,!!e&&e!==h)}},Sn=class extends We{constructor(e,n,r,o,s){super(e,n,r,o,s),this.type=5}_$AI(e,n=this){if((e=Ve(this,e,n,0)??h)===j)return;let r=this._$AH,o=e===h&&r!==h||e.capture!==r.capture||e.once!==r.once||e.passive!==r.passive,s=e!==h&&(r===h||o);o&&this.element.removeEventListener(this.name,this,r),s&&this.element.addEventListener(this.name,this,e),this._$AH=e}handleEvent(e){typeof this._$AH=="function"?this._$AH.call(this.options?.host??this.element,e):this._$AH.handleEvent(e)}},xn=class{constructor(e,n,r){this.element=e,this.type=6,this._$AN=void 0,this._$AM=n,this.options=r}get _$AU(){return this._$AM._$AU}_$AI(e){Ve(this,e)}},Ei={M:Eo,P:ge,A:wo,C:1,L:vi,R:vn,D:gi,V:Ve,I:tt,H:We,N:wn,U:Sn,B:En,F:xn},iu=vo.litHtmlPolyfillSupport;iu?.(Mt,tt),(vo.litHtmlVersions??=[]).push("3.3.3");var wi=(t,e,n)=>{let r=n?.renderBefore??e,o=r._$litPart$;if(o===void 0){let s=n?.renderBefore??null;r._$litPart$=o=new tt(e.insertBefore(_t(),s),s,void 0,n??{})}return o._$AI(t),o};var Io=globalThis,Y=class extends he{constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){let e=super.createRenderRoot();return this.renderOptions.renderBefore??=e.firstChild,e}update(e){let n=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(e),this._$Do=wi(n,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return j}};Y._$litElement$=!0,Y.finalized=!0,Io.litElementHydrateSupport?.({LitElement:Y});var au=Io.litElementPolyfillSupport;au?.({LitElement:Y});(Io.litElementVersions??=[]).push("4.2.2");function Te(t){let e=!1,n=[];for(let r=0;r<t.length;r++){let o=t.charAt(r);switch(o){case"_":e=!0;break;case"0":case"1":case"2":case"3":case"4":case"5":case"6":case"7":case"8":case"9":n.push(o),e=!1;break;default:e&&(e=!1,o=o.toUpperCase()),n.push(o);break}}return n.join("")}var lu=new Set(["constructor","toString","toJSON","valueOf"]);function nt(t){return lu.has(t)?t+"$":t}function xi(){let t=0,e=0;for(let r=0;r<28;r+=7){let o=this.buf[this.pos++];if(t|=(o&127)<<r,(o&128)==0)return this.assertBounds(),[t,e]}let n=this.buf[this.pos++];if(t|=(n&15)<<28,e=(n&112)>>4,(n&128)==0)return this.assertBounds(),[t,e];for(let r=3;r<=31;r+=7){let o=this.buf[this.pos++];if(e|=(o&127)<<r,(o&128)==0)return this.assertBounds(),[t,e]}throw new Error("invalid varint")}function An(t,e,n){for(let s=0;s<28;s=s+7){let i=t>>>s,a=!(!(i>>>7)&&e==0),l=(a?i|128:i)&255;if(n.push(l),!a)return}let r=t>>>28&15|(e&7)<<4,o=e>>3!=0;if(n.push((o?r|128:r)&255),!!o){for(let s=3;s<31;s=s+7){let i=e>>>s,a=!!(i>>>7),l=(a?i|128:i)&255;if(n.push(l),!a)return}n.push(e>>>31&1)}}var In=4294967296;function Ao(t){let e=t[0]==="-";e&&(t=t.slice(1));let n=1e6,r=0,o=0;function s(i,a){let l=Number(t.slice(i,a));o*=n,r=r*n+l,r>=In&&(o=o+(r/In|0),r=r%In)}return s(-24,-18),s(-18,-12),s(-12,-6),s(-6),e?Ai(r,o):Ro(r,o)}function Ii(t,e){let n=Ro(t,e),r=n.hi&2147483648;r&&(n=Ai(n.lo,n.hi));let o=No(n.lo,n.hi);return r?"-"+o:o}function No(t,e){if({lo:t,hi:e}=cu(t,e),e<=2097151)return String(In*e+t);let n=t&16777215,r=(t>>>24|e<<8)&16777215,o=e>>16&65535,s=n+r*6777216+o*6710656,i=r+o*8147497,a=o*2,l=1e7;return s>=l&&(i+=Math.floor(s/l),s%=l),i>=l&&(a+=Math.floor(i/l),i%=l),a.toString()+Si(i)+Si(s)}function cu(t,e){return{lo:t>>>0,hi:e>>>0}}function Ro(t,e){return{lo:t|0,hi:e|0}}function Ai(t,e){return e=~e,t?t=~t+1:e+=1,Ro(t,e)}var Si=t=>{let e=String(t);return"0000000".slice(e.length)+e};function ko(t,e){if(t>=0){for(;t>127;)e.push(t&127|128),t=t>>>7;e.push(t)}else{for(let n=0;n<9;n++)e.push(t&127|128),t=t>>7;e.push(1)}}function Ni(){let t=this.buf[this.pos++],e=t&127;if((t&128)==0)return this.assertBounds(),e;if(t=this.buf[this.pos++],e|=(t&127)<<7,(t&128)==0)return this.assertBounds(),e;if(t=this.buf[this.pos++],e|=(t&127)<<14,(t&128)==0)return this.assertBounds(),e;if(t=this.buf[this.pos++],e|=(t&127)<<21,(t&128)==0)return this.assertBounds(),e;t=this.buf[this.pos++],e|=(t&15)<<28;for(let n=5;(t&128)!==0&&n<10;n++)t=this.buf[this.pos++];if((t&128)!=0)throw new Error("invalid varint");return this.assertBounds(),e>>>0}var N=du();function du(){let t=new DataView(new ArrayBuffer(8));if(typeof BigInt=="function"&&typeof t.getBigInt64=="function"&&typeof t.getBigUint64=="function"&&typeof t.setBigInt64=="function"&&typeof t.setBigUint64=="function"&&(typeof process!="object"||typeof process.env!="object"||process.env.BUF_BIGINT_DISABLE!=="1")){let n=BigInt("-9223372036854775808"),r=BigInt("9223372036854775807"),o=BigInt("0"),s=BigInt("18446744073709551615");return{zero:BigInt(0),supported:!0,parse(i){let a=typeof i=="bigint"?i:BigInt(i);if(a>r||a<n)throw new Error(`invalid int64: ${i}`);return a},uParse(i){let a=typeof i=="bigint"?i:BigInt(i);if(a>s||a<o)throw new Error(`invalid uint64: ${i}`);return a},enc(i){return t.setBigInt64(0,this.parse(i),!0),{lo:t.getInt32(0,!0),hi:t.getInt32(4,!0)}},uEnc(i){return t.setBigInt64(0,this.uParse(i),!0),{lo:t.getInt32(0,!0),hi:t.getInt32(4,!0)}},dec(i,a){return t.setInt32(0,i,!0),t.setInt32(4,a,!0),t.getBigInt64(0,!0)},uDec(i,a){return t.setInt32(0,i,!0),t.setInt32(4,a,!0),t.getBigUint64(0,!0)}}}return{zero:"0",supported:!1,parse(n){return typeof n!="string"&&(n=n.toString()),Ri(n),n},uParse(n){return typeof n!="string"&&(n=n.toString()),ki(n),n},enc(n){return typeof n!="string"&&(n=n.toString()),Ri(n),Ao(n)},uEnc(n){return typeof n!="string"&&(n=n.toString()),ki(n),Ao(n)},dec(n,r){return Ii(n,r)},uDec(n,r){return No(n,r)}}}function Ri(t){if(!/^-?[0-9]+$/.test(t))throw new Error("invalid int64: "+t)}function ki(t){if(!/^[0-9]+$/.test(t))throw new Error("invalid uint64: "+t)}var u;(function(t){t[t.DOUBLE=1]="DOUBLE",t[t.FLOAT=2]="FLOAT",t[t.INT64=3]="INT64",t[t.UINT64=4]="UINT64",t[t.INT32=5]="INT32",t[t.FIXED64=6]="FIXED64",t[t.FIXED32=7]="FIXED32",t[t.BOOL=8]="BOOL",t[t.STRING=9]="STRING",t[t.BYTES=12]="BYTES",t[t.UINT32=13]="UINT32",t[t.SFIXED32=15]="SFIXED32",t[t.SFIXED64=16]="SFIXED64",t[t.SINT32=17]="SINT32",t[t.SINT64=18]="SINT64"})(u||(u={}));function rt(t,e,n){if(e===n)return!0;if(t==u.BYTES){if(!(e instanceof Uint8Array)||!(n instanceof Uint8Array)||e.length!==n.length)return!1;for(let r=0;r<e.length;r++)if(e[r]!==n[r])return!1;return!0}switch(t){case u.UINT64:case u.FIXED64:case u.INT64:case u.SFIXED64:case u.SINT64:return e==n}return!1}function ee(t,e){switch(t){case u.STRING:return"";case u.BOOL:return!1;case u.DOUBLE:case u.FLOAT:return 0;case u.INT64:case u.UINT64:case u.SFIXED64:case u.FIXED64:case u.SINT64:return e?"0":N.zero;case u.BYTES:return new Uint8Array(0);default:return 0}}function Ti(t,e){switch(t){case u.BOOL:return e===!1;case u.STRING:return e==="";case u.BYTES:return e instanceof Uint8Array&&!e.byteLength;default:return e==0}}var Ci=2,oe=Symbol.for("reflect unsafe local");function Nn(t,e){let n=t[e.localName].case;return n===void 0?n:e.fields.find(r=>r.localName===n)}function Li(t,e){let n=e.localName;if(e.oneof)return t[e.oneof.localName].case===n;if(e.presence!=Ci)return t[n]!==void 0&&Object.prototype.hasOwnProperty.call(t,n);switch(e.fieldKind){case"list":return t[n].length>0;case"map":return Object.keys(t[n]).length>0;case"scalar":return!Ti(e.scalar,t[n]);case"enum":return t[n]!==e.enum.values[0].number}throw new Error("message field with implicit presence")}function Pe(t,e){return Object.prototype.hasOwnProperty.call(t,e)&&t[e]!==void 0}function Rn(t,e){if(e.oneof){let n=t[e.oneof.localName];return n.case===e.localName?n.value:void 0}return t[e.localName]}function kn(t,e,n){e.oneof?t[e.oneof.localName]={case:e.localName,value:n}:t[e.localName]=n}function _i(t,e){let n=e.localName;if(e.oneof){let r=e.oneof.localName;t[r].case===n&&(t[r]={case:void 0})}else if(e.presence!=Ci)delete t[n];else switch(e.fieldKind){case"map":t[n]={};break;case"list":t[n]=[];break;case"enum":t[n]=e.enum.values[0].number;break;case"scalar":t[n]=ee(e.scalar,e.longAsString);break}}function Jt(t){for(let e of t.field)Pe(e,"jsonName")||(e.jsonName=Te(e.name));t.nestedType.forEach(Jt)}function $i(t,e){let n=t.values.find(r=>r.name===e);if(!n)throw new Error(`cannot parse ${t} default value: ${e}`);return n.number}function Mi(t,e){switch(t){case u.STRING:return e;case u.BYTES:{let n=uu(e);if(n===!1)throw new Error(`cannot parse ${u[t]} default value: ${e}`);return n}case u.INT64:case u.SFIXED64:case u.SINT64:return N.parse(e);case u.UINT64:case u.FIXED64:return N.uParse(e);case u.DOUBLE:case u.FLOAT:switch(e){case"inf":return Number.POSITIVE_INFINITY;case"-inf":return Number.NEGATIVE_INFINITY;case"nan":return Number.NaN;default:return parseFloat(e)}case u.BOOL:return e==="true";case u.INT32:case u.UINT32:case u.SINT32:case u.FIXED32:case u.SFIXED32:return parseInt(e,10)}}function uu(t){let e=[],n={tail:t,c:"",next(){return this.tail.length==0?!1:(this.c=this.tail[0],this.tail=this.tail.substring(1),!0)},take(r){if(this.tail.length>=r){let o=this.tail.substring(0,r);return this.tail=this.tail.substring(r),o}return!1}};for(;n.next();)switch(n.c){case"\\":if(n.next())switch(n.c){case"\\":e.push(n.c.charCodeAt(0));break;case"b":e.push(8);break;case"f":e.push(12);break;case"n":e.push(10);break;case"r":e.push(13);break;case"t":e.push(9);break;case"v":e.push(11);break;case"0":case"1":case"2":case"3":case"4":case"5":case"6":case"7":{let r=n.c,o=n.take(2);if(o===!1)return!1;let s=parseInt(r+o,8);if(Number.isNaN(s))return!1;e.push(s);break}case"x":{let r=n.c,o=n.take(2);if(o===!1)return!1;let s=parseInt(r+o,16);if(Number.isNaN(s))return!1;e.push(s);break}case"u":{let r=n.c,o=n.take(4);if(o===!1)return!1;let s=parseInt(r+o,16);if(Number.isNaN(s))return!1;let i=new Uint8Array(4);new DataView(i.buffer).setInt32(0,s,!0),e.push(i[0],i[1],i[2],i[3]);break}case"U":{let r=n.c,o=n.take(8);if(o===!1)return!1;let s=N.uEnc(r+o),i=new Uint8Array(8),a=new DataView(i.buffer);a.setInt32(0,s.lo,!0),a.setInt32(4,s.hi,!0),e.push(i[0],i[1],i[2],i[3],i[4],i[5],i[6],i[7]);break}}break;default:e.push(n.c.charCodeAt(0))}return new Uint8Array(e)}function*Tn(t){switch(t.kind){case"file":for(let e of t.messages)yield e,yield*Tn(e);yield*t.enums,yield*t.services,yield*t.extensions;break;case"message":for(let e of t.nestedMessages)yield e,yield*Tn(e);yield*t.nestedEnums,yield*t.nestedExtensions;break}}function Cn(...t){let e=pu();if(!t.length)return e;if("$typeName"in t[0]&&t[0].$typeName=="google.protobuf.FileDescriptorSet"){for(let r of t[0].file)Oi(r,e);return e}if("$typeName"in t[0]){let i=function(a){let l=[];for(let c of a.dependency){if(e.getFile(c)!=null||s.has(c))continue;let d=o(c);if(!d)throw new Error(`Unable to resolve ${c}, imported by ${a.name}`);"kind"in d?e.addFile(d,!1,!0):(s.add(d.name),l.push(d))}return l.concat(...l.map(i))};var n=i;let r=t[0],o=t[1],s=new Set;for(let a of[r,...i(r)].reverse())Oi(a,e)}else for(let r of t)for(let o of r.files)e.addFile(o);return e}function pu(){let t=new Map,e=new Map,n=new Map;return{kind:"registry",types:t,extendees:e,[Symbol.iterator](){return t.values()},get files(){return n.values()},addFile(r,o,s){if(n.set(r.proto.name,r),!o)for(let i of Tn(r))this.add(i);if(s)for(let i of r.dependencies)this.addFile(i,o,s)},add(r){if(r.kind=="extension"){let o=e.get(r.extendee.typeName);o||e.set(r.extendee.typeName,o=new Map),o.set(r.number,r)}t.set(r.typeName,r)},get(r){return t.get(r)},getFile(r){return n.get(r)},getMessage(r){let o=t.get(r);return o?.kind=="message"?o:void 0},getEnum(r){let o=t.get(r);return o?.kind=="enum"?o:void 0},getExtension(r){let o=t.get(r);return o?.kind=="extension"?o:void 0},getExtensionFor(r,o){var s;return(s=e.get(r.typeName))===null||s===void 0?void 0:s.get(o)},getService(r){let o=t.get(r);return o?.kind=="service"?o:void 0}}}var mu=998,fu=999,hu=9,Ut=10,Gt=11,gu=12,Ji=14,$o=3,bu=2,Gi=1,yu=0,To=1,Ui=2,vu=3,Eu=1,wu=2,Su=1;var Fi={998:{fieldPresence:1,enumType:2,repeatedFieldEncoding:2,utf8Validation:3,messageEncoding:1,jsonFormat:2,enforceNamingStyle:2,defaultSymbolVisibility:1},999:{fieldPresence:2,enumType:1,repeatedFieldEncoding:1,utf8Validation:2,messageEncoding:1,jsonFormat:1,enforceNamingStyle:2,defaultSymbolVisibility:1},1e3:{fieldPresence:1,enumType:1,repeatedFieldEncoding:1,utf8Validation:2,messageEncoding:1,jsonFormat:1,enforceNamingStyle:2,defaultSymbolVisibility:1}};function Oi(t,e){var n,r;let o={kind:"file",proto:t,deprecated:(r=(n=t.options)===null||n===void 0?void 0:n.deprecated)!==null&&r!==void 0?r:!1,edition:Nu(t),name:t.name.replace(/\.proto$/,""),dependencies:Ru(t,e),enums:[],messages:[],extensions:[],services:[],toString(){return`file ${t.name}`}},s=new Map,i={get(a){return s.get(a)},add(a){var l;se(((l=a.proto.options)===null||l===void 0?void 0:l.mapEntry)===!0),s.set(a.typeName,a)}};for(let a of t.enumType)Bi(a,o,void 0,e);for(let a of t.messageType)Vi(a,o,void 0,e,i);for(let a of t.service)xu(a,o,e);Co(o,e);for(let a of s.values())Lo(a,e,i);for(let a of o.messages)Lo(a,e,i),Co(a,e);e.addFile(o,!0)}function Co(t,e){switch(t.kind){case"file":for(let n of t.proto.extension){let r=_o(n,t,e);t.extensions.push(r),e.add(r)}break;case"message":for(let n of t.proto.extension){let r=_o(n,t,e);t.nestedExtensions.push(r),e.add(r)}for(let n of t.nestedMessages)Co(n,e);break}}function Lo(t,e,n){let r=t.proto.oneofDecl.map(s=>Au(s,t)),o=new Set;for(let s of t.proto.field){let i=Cu(s,r),a=_o(s,t,e,i,n);t.fields.push(a),t.field[a.localName]=a,i===void 0?t.members.push(a):(i.fields.push(a),o.has(i)||(o.add(i),t.members.push(i)))}for(let s of r.filter(i=>o.has(i)))t.oneofs.push(s);for(let s of t.nestedMessages)Lo(s,e,n)}function Bi(t,e,n,r){var o,s,i,a,l;let c=ku(t.name,t.value),d={kind:"enum",proto:t,deprecated:(s=(o=t.options)===null||o===void 0?void 0:o.deprecated)!==null&&s!==void 0?s:!1,file:e,parent:n,open:!0,name:t.name,typeName:Ln(t,n,e),value:{},values:[],sharedPrefix:c,toString(){return`enum ${this.typeName}`}};d.open=Mu(d),r.add(d);for(let m of t.value){let b=m.name;d.values.push(d.value[m.number]={kind:"enum_value",proto:m,deprecated:(a=(i=m.options)===null||i===void 0?void 0:i.deprecated)!==null&&a!==void 0?a:!1,parent:d,name:b,localName:nt(c==null?b:b.substring(c.length)),number:m.number,toString(){return`enum value ${d.typeName}.${b}`}})}((l=n?.nestedEnums)!==null&&l!==void 0?l:e.enums).push(d)}function Vi(t,e,n,r,o){var s,i,a,l;let c={kind:"message",proto:t,deprecated:(i=(s=t.options)===null||s===void 0?void 0:s.deprecated)!==null&&i!==void 0?i:!1,file:e,parent:n,name:t.name,typeName:Ln(t,n,e),fields:[],field:{},oneofs:[],members:[],nestedEnums:[],nestedMessages:[],nestedExtensions:[],toString(){return`message ${this.typeName}`}};((a=t.options)===null||a===void 0?void 0:a.mapEntry)===!0?o.add(c):(((l=n?.nestedMessages)!==null&&l!==void 0?l:e.messages).push(c),r.add(c));for(let d of t.enumType)Bi(d,e,c,r);for(let d of t.nestedType)Vi(d,e,c,r,o)}function xu(t,e,n){var r,o;let s={kind:"service",proto:t,deprecated:(o=(r=t.options)===null||r===void 0?void 0:r.deprecated)!==null&&o!==void 0?o:!1,file:e,name:t.name,typeName:Ln(t,void 0,e),methods:[],method:{},toString(){return`service ${this.typeName}`}};e.services.push(s),n.add(s);for(let i of t.method){let a=Iu(i,s,n);s.methods.push(a),s.method[a.localName]=a}}function Iu(t,e,n){var r,o,s,i;let a;t.clientStreaming&&t.serverStreaming?a="bidi_streaming":t.clientStreaming?a="client_streaming":t.serverStreaming?a="server_streaming":a="unary";let l=n.getMessage(be(t.inputType)),c=n.getMessage(be(t.outputType));se(l,`invalid MethodDescriptorProto: input_type ${t.inputType} not found`),se(c,`invalid MethodDescriptorProto: output_type ${t.inputType} not found`);let d=t.name;return{kind:"rpc",proto:t,deprecated:(o=(r=t.options)===null||r===void 0?void 0:r.deprecated)!==null&&o!==void 0?o:!1,parent:e,name:d,localName:nt(d.length?nt(d[0].toLowerCase()+d.substring(1)):d),methodKind:a,input:l,output:c,idempotency:(i=(s=t.options)===null||s===void 0?void 0:s.idempotencyLevel)!==null&&i!==void 0?i:yu,toString(){return`rpc ${e.typeName}.${d}`}}}function Au(t,e){return{kind:"oneof",proto:t,deprecated:!1,parent:e,fields:[],name:t.name,localName:nt(Te(t.name)),toString(){return`oneof ${e.typeName}.${this.name}`}}}function _o(t,e,n,r,o){var s,i,a;let l=o===void 0,c={kind:"field",proto:t,deprecated:(i=(s=t.options)===null||s===void 0?void 0:s.deprecated)!==null&&i!==void 0?i:!1,name:t.name,number:t.number,scalar:void 0,message:void 0,enum:void 0,presence:Lu(t,r,l,e),listKind:void 0,mapKind:void 0,mapKey:void 0,delimitedEncoding:void 0,packed:void 0,longAsString:!1,getDefaultValue:void 0};if(l){let p=e.kind=="file"?e:e.file,g=e.kind=="file"?void 0:e,E=Ln(t,g,p);c.kind="extension",c.file=p,c.parent=g,c.oneof=void 0,c.typeName=E,c.jsonName=`[${E}]`,c.toString=()=>`extension ${E}`;let x=n.getMessage(be(t.extendee));se(x,`invalid FieldDescriptorProto: extendee ${t.extendee} not found`),c.extendee=x}else{let p=e;se(p.kind=="message"),c.parent=p,c.oneof=r,c.localName=r?Te(t.name):nt(Te(t.name)),c.jsonName=t.jsonName,c.toString=()=>`field ${p.typeName}.${t.name}`}let d=t.label,m=t.type,b=(a=t.options)===null||a===void 0?void 0:a.jstype;if(d===$o){let p=m==Gt?o?.get(be(t.typeName)):void 0;if(p){c.fieldKind="map";let{key:g,value:E}=$u(p);return c.mapKey=g.scalar,c.mapKind=E.fieldKind,c.message=E.message,c.delimitedEncoding=!1,c.enum=E.enum,c.scalar=E.scalar,c}switch(c.fieldKind="list",m){case Gt:case Ut:c.listKind="message",c.message=n.getMessage(be(t.typeName)),se(c.message),c.delimitedEncoding=Di(t,e);break;case Ji:c.listKind="enum",c.enum=n.getEnum(be(t.typeName)),se(c.enum);break;default:c.listKind="scalar",c.scalar=m,c.longAsString=b==Gi;break}return c.packed=_u(t,e),c}switch(m){case Gt:case Ut:c.fieldKind="message",c.message=n.getMessage(be(t.typeName)),se(c.message,`invalid FieldDescriptorProto: type_name ${t.typeName} not found`),c.delimitedEncoding=Di(t,e),c.getDefaultValue=()=>{};break;case Ji:{let p=n.getEnum(be(t.typeName));se(p!==void 0,`invalid FieldDescriptorProto: type_name ${t.typeName} not found`),c.fieldKind="enum",c.enum=n.getEnum(be(t.typeName)),c.getDefaultValue=()=>Pe(t,"defaultValue")?$i(p,t.defaultValue):void 0;break}default:{c.fieldKind="scalar",c.scalar=m,c.longAsString=b==Gi,c.getDefaultValue=()=>Pe(t,"defaultValue")?Mi(m,t.defaultValue):void 0;break}}return c}function Nu(t){switch(t.syntax){case"":case"proto2":return mu;case"proto3":return fu;case"editions":if(t.edition in Fi)return t.edition;throw new Error(`${t.name}: unsupported edition`);default:throw new Error(`${t.name}: unsupported syntax "${t.syntax}"`)}}function Ru(t,e){return t.dependency.map(n=>{let r=e.getFile(n);if(!r)throw new Error(`Cannot find ${n}, imported by ${t.name}`);return r})}function ku(t,e){let n=Tu(t)+"_";for(let r of e){if(!r.name.toLowerCase().startsWith(n))return;let o=r.name.substring(n.length);if(o.length==0||/^\d/.test(o))return}return n}function Tu(t){return(t.substring(0,1)+t.substring(1).replace(/[A-Z]/g,e=>"_"+e)).toLowerCase()}function Ln(t,e,n){let r;return e?r=`${e.typeName}.${t.name}`:n.proto.package.length>0?r=`${n.proto.package}.${t.name}`:r=`${t.name}`,r}function be(t){return t.startsWith(".")?t.substring(1):t}function Cu(t,e){if(!Pe(t,"oneofIndex")||t.proto3Optional)return;let n=e[t.oneofIndex];return se(n,`invalid FieldDescriptorProto: oneof #${t.oneofIndex} for field #${t.number} not found`),n}function Lu(t,e,n,r){if(t.label==bu)return vu;if(t.label==$o)return Ui;if(e||t.proto3Optional||n)return To;let o=ot("fieldPresence",{proto:t,parent:r});return o==Ui&&(t.type==Gt||t.type==Ut)?To:o}function _u(t,e){if(t.label!=$o)return!1;switch(t.type){case hu:case gu:case Ut:case Gt:return!1}let n=t.options;return n&&Pe(n,"packed")?n.packed:Eu==ot("repeatedFieldEncoding",{proto:t,parent:e})}function $u(t){let e=t.fields.find(r=>r.number===1),n=t.fields.find(r=>r.number===2);return se(e&&e.fieldKind=="scalar"&&e.scalar!=u.BYTES&&e.scalar!=u.FLOAT&&e.scalar!=u.DOUBLE&&n&&n.fieldKind!="list"&&n.fieldKind!="map"),{key:e,value:n}}function Mu(t){var e;return Su==ot("enumType",{proto:t.proto,parent:(e=t.parent)!==null&&e!==void 0?e:t.file})}function Di(t,e){return t.type==Ut?!0:wu==ot("messageEncoding",{proto:t,parent:e})}function ot(t,e){var n,r;let o=(n=e.proto.options)===null||n===void 0?void 0:n.features;if(o){let s=o[t];if(s!=0)return s}if("kind"in e){if(e.kind=="message")return ot(t,(r=e.parent)!==null&&r!==void 0?r:e.file);let s=Fi[e.edition];if(!s)throw new Error(`feature default for edition ${e.edition} not found`);return s[t]}return ot(t,e.parent)}function se(t,e){if(!t)throw new Error(e)}function Wi(t){let e=Ju(t);return e.messageType.forEach(Jt),Cn(e,()=>{}).getFile(e.name)}function Ju(t){return Object.assign(Object.create({syntax:"",edition:0}),Object.assign(Object.assign({$typeName:"google.protobuf.FileDescriptorProto",dependency:[],publicDependency:[],weakDependency:[],optionDependency:[],service:[],extension:[]},t),{messageType:t.messageType.map(Pi),enumType:t.enumType.map(Yi)}))}function Pi(t){var e,n,r,o,s,i,a,l;return Object.assign(Object.create({visibility:0}),{$typeName:"google.protobuf.DescriptorProto",name:t.name,field:(n=(e=t.field)===null||e===void 0?void 0:e.map(Gu))!==null&&n!==void 0?n:[],extension:[],nestedType:(o=(r=t.nestedType)===null||r===void 0?void 0:r.map(Pi))!==null&&o!==void 0?o:[],enumType:(i=(s=t.enumType)===null||s===void 0?void 0:s.map(Yi))!==null&&i!==void 0?i:[],extensionRange:(l=(a=t.extensionRange)===null||a===void 0?void 0:a.map(d=>Object.assign({$typeName:"google.protobuf.DescriptorProto.ExtensionRange"},d)))!==null&&l!==void 0?l:[],oneofDecl:[],reservedRange:[],reservedName:[]})}function Gu(t){return Object.assign(Object.create({label:1,typeName:"",extendee:"",defaultValue:"",oneofIndex:0,jsonName:"",proto3Optional:!1}),Object.assign(Object.assign({$typeName:"google.protobuf.FieldDescriptorProto"},t),{options:t.options?Uu(t.options):void 0}))}function Uu(t){var e,n,r;return Object.assign(Object.create({ctype:0,packed:!1,jstype:0,lazy:!1,unverifiedLazy:!1,deprecated:!1,weak:!1,debugRedact:!1,retention:0}),Object.assign(Object.assign({$typeName:"google.protobuf.FieldOptions"},t),{targets:(e=t.targets)!==null&&e!==void 0?e:[],editionDefaults:(r=(n=t.editionDefaults)===null||n===void 0?void 0:n.map(s=>Object.assign({$typeName:"google.protobuf.FieldOptions.EditionDefault"},s)))!==null&&r!==void 0?r:[],uninterpretedOption:[]}))}function Yi(t){return Object.assign(Object.create({visibility:0}),{$typeName:"google.protobuf.EnumDescriptorProto",name:t.name,reservedName:[],reservedRange:[],value:t.value.map(n=>Object.assign({$typeName:"google.protobuf.EnumValueDescriptorProto"},n))})}function it(t){let e=Ou(),n=t.length*3/4;t[t.length-2]=="="?n-=2:t[t.length-1]=="="&&(n-=1);let r=new Uint8Array(n),o=0,s=0,i,a=0;for(let l=0;l<t.length;l++){if(i=e[t.charCodeAt(l)],i===void 0)switch(t[l]){case"=":s=0;case`
`:case"\r":case"	":case" ":continue;default:throw Error("invalid base64 string")}switch(s){case 0:a=i,s=1;break;case 1:r[o++]=a<<2|(i&48)>>4,a=i,s=2;break;case 2:r[o++]=(a&15)<<4|(i&60)>>2,a=i,s=3;break;case 3:r[o++]=(a&3)<<6|i,s=0;break}}if(s==1)throw Error("invalid base64 string");return r.subarray(0,o)}function Ot(t,e="std"){let n=Ki(e),r=e=="std",o="",s=0,i,a=0;for(let l=0;l<t.length;l++)switch(i=t[l],s){case 0:o+=n[i>>2],a=(i&3)<<4,s=1;break;case 1:o+=n[a|i>>4],a=(i&15)<<2,s=2;break;case 2:o+=n[a|i>>6],o+=n[i&63],s=0;break}return s&&(o+=n[a],r&&(o+="=",s==1&&(o+="="))),o}var _n,Zi,st;function Ki(t){return _n||(_n="ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".split(""),Zi=_n.slice(0,-2).concat("-","_")),t=="url"?Zi:_n}function Ou(){if(!st){st=[];let t=Ki("std");for(let e=0;e<t.length;e++)st[t[e].charCodeAt(0)]=e;st[45]=t.indexOf("+"),st[95]=t.indexOf("/")}return st}function Dt(t,e){return t!==null&&typeof t=="object"&&"$typeName"in t&&typeof t.$typeName=="string"?e===void 0?!0:e.typeName===t.$typeName:!1}var Du=["FieldValueInvalidError","FieldListRangeError","ForeignFieldError"],U=class extends Error{constructor(e,n,r="FieldValueInvalidError"){super(n),this.name=r,this.field=()=>e}};function Xi(t){return t instanceof Error&&Du.includes(t.name)&&"field"in t&&typeof t.field=="function"}function ae(t){return t!==null&&typeof t=="object"&&!Array.isArray(t)}function Ft(t,e){var n,r,o,s;if(ae(t)&&oe in t&&"add"in t&&"field"in t&&typeof t.field=="function"){if(e!==void 0){let i=e,a=t.field();return i.listKind==a.listKind&&i.scalar===a.scalar&&((n=i.message)===null||n===void 0?void 0:n.typeName)===((r=a.message)===null||r===void 0?void 0:r.typeName)&&((o=i.enum)===null||o===void 0?void 0:o.typeName)===((s=a.enum)===null||s===void 0?void 0:s.typeName)}return!0}return!1}function Bt(t,e){var n,r,o,s;if(ae(t)&&oe in t&&"has"in t&&"field"in t&&typeof t.field=="function"){if(e!==void 0){let i=e,a=t.field();return i.mapKey===a.mapKey&&i.mapKind==a.mapKind&&i.scalar===a.scalar&&((n=i.message)===null||n===void 0?void 0:n.typeName)===((r=a.message)===null||r===void 0?void 0:r.typeName)&&((o=i.enum)===null||o===void 0?void 0:o.typeName)===((s=a.enum)===null||s===void 0?void 0:s.typeName)}return!0}return!1}function Vt(t,e){return ae(t)&&oe in t&&"desc"in t&&ae(t.desc)&&t.desc.kind==="message"&&(e===void 0||t.desc.typeName==e.typeName)}var Mo=Symbol.for("@bufbuild/protobuf/text-encoding");function Wt(){if(globalThis[Mo]==null){let t=new globalThis.TextEncoder,e=new globalThis.TextDecoder;globalThis[Mo]={encodeUtf8(n){return t.encode(n)},decodeUtf8(n){return e.decode(n)},checkUtf8(n){try{return encodeURIComponent(n),!0}catch{return!1}}}}return globalThis[Mo]}var _;(function(t){t[t.Varint=0]="Varint",t[t.Bit64=1]="Bit64",t[t.LengthDelimited=2]="LengthDelimited",t[t.StartGroup=3]="StartGroup",t[t.EndGroup=4]="EndGroup",t[t.Bit32=5]="Bit32"})(_||(_={}));var Go=34028234663852886e22,Uo=-34028234663852886e22,Oo=4294967295,Do=2147483647,Fo=-2147483648,Ce=class{constructor(e=Wt().encodeUtf8){this.encodeUtf8=e,this.stack=[],this.chunks=[],this.buf=[]}finish(){this.buf.length&&(this.chunks.push(new Uint8Array(this.buf)),this.buf=[]);let e=0;for(let o=0;o<this.chunks.length;o++)e+=this.chunks[o].length;let n=new Uint8Array(e),r=0;for(let o=0;o<this.chunks.length;o++)n.set(this.chunks[o],r),r+=this.chunks[o].length;return this.chunks=[],n}fork(){return this.stack.push({chunks:this.chunks,buf:this.buf}),this.chunks=[],this.buf=[],this}join(){let e=this.finish(),n=this.stack.pop();if(!n)throw new Error("invalid state, fork stack empty");return this.chunks=n.chunks,this.buf=n.buf,this.uint32(e.byteLength),this.raw(e)}tag(e,n){return this.uint32((e<<3|n)>>>0)}raw(e){return this.buf.length&&(this.chunks.push(new Uint8Array(this.buf)),this.buf=[]),this.chunks.push(e),this}uint32(e){for(ji(e);e>127;)this.buf.push(e&127|128),e=e>>>7;return this.buf.push(e),this}int32(e){return Jo(e),ko(e,this.buf),this}bool(e){return this.buf.push(e?1:0),this}bytes(e){return this.uint32(e.byteLength),this.raw(e)}string(e){let n=this.encodeUtf8(e);return this.uint32(n.byteLength),this.raw(n)}float(e){Fu(e);let n=new Uint8Array(4);return new DataView(n.buffer).setFloat32(0,e,!0),this.raw(n)}double(e){let n=new Uint8Array(8);return new DataView(n.buffer).setFloat64(0,e,!0),this.raw(n)}fixed32(e){ji(e);let n=new Uint8Array(4);return new DataView(n.buffer).setUint32(0,e,!0),this.raw(n)}sfixed32(e){Jo(e);let n=new Uint8Array(4);return new DataView(n.buffer).setInt32(0,e,!0),this.raw(n)}sint32(e){return Jo(e),e=(e<<1^e>>31)>>>0,ko(e,this.buf),this}sfixed64(e){let n=new Uint8Array(8),r=new DataView(n.buffer),o=N.enc(e);return r.setInt32(0,o.lo,!0),r.setInt32(4,o.hi,!0),this.raw(n)}fixed64(e){let n=new Uint8Array(8),r=new DataView(n.buffer),o=N.uEnc(e);return r.setInt32(0,o.lo,!0),r.setInt32(4,o.hi,!0),this.raw(n)}int64(e){let n=N.enc(e);return An(n.lo,n.hi,this.buf),this}sint64(e){let n=N.enc(e),r=n.hi>>31,o=n.lo<<1^r,s=(n.hi<<1|n.lo>>>31)^r;return An(o,s,this.buf),this}uint64(e){let n=N.uEnc(e);return An(n.lo,n.hi,this.buf),this}},Ye=class{constructor(e,n=Wt().decodeUtf8){this.decodeUtf8=n,this.varint64=xi,this.uint32=Ni,this.buf=e,this.len=e.length,this.pos=0,this.view=new DataView(e.buffer,e.byteOffset,e.byteLength)}tag(){let e=this.uint32(),n=e>>>3,r=e&7;if(n<=0||r<0||r>5)throw new Error("illegal tag: field no "+n+" wire type "+r);return[n,r]}skip(e,n){let r=this.pos;switch(e){case _.Varint:for(;this.buf[this.pos++]&128;);break;case _.Bit64:this.pos+=4;case _.Bit32:this.pos+=4;break;case _.LengthDelimited:let o=this.uint32();this.pos+=o;break;case _.StartGroup:for(;;){let[s,i]=this.tag();if(i===_.EndGroup){if(n!==void 0&&s!==n)throw new Error("invalid end group tag");break}this.skip(i,s)}break;default:throw new Error("cant skip wire type "+e)}return this.assertBounds(),this.buf.subarray(r,this.pos)}assertBounds(){if(this.pos>this.len)throw new RangeError("premature EOF")}int32(){return this.uint32()|0}sint32(){let e=this.uint32();return e>>>1^-(e&1)}int64(){return N.dec(...this.varint64())}uint64(){return N.uDec(...this.varint64())}sint64(){let[e,n]=this.varint64(),r=-(e&1);return e=(e>>>1|(n&1)<<31)^r,n=n>>>1^r,N.dec(e,n)}bool(){let[e,n]=this.varint64();return e!==0||n!==0}fixed32(){return this.view.getUint32((this.pos+=4)-4,!0)}sfixed32(){return this.view.getInt32((this.pos+=4)-4,!0)}fixed64(){return N.uDec(this.sfixed32(),this.sfixed32())}sfixed64(){return N.dec(this.sfixed32(),this.sfixed32())}float(){return this.view.getFloat32((this.pos+=4)-4,!0)}double(){return this.view.getFloat64((this.pos+=8)-8,!0)}bytes(){let e=this.uint32(),n=this.pos;return this.pos+=e,this.assertBounds(),this.buf.subarray(n,n+e)}string(){return this.decodeUtf8(this.bytes())}};function Jo(t){if(typeof t=="string")t=Number(t);else if(typeof t!="number")throw new Error("invalid int32: "+typeof t);if(!Number.isInteger(t)||t>Do||t<Fo)throw new Error("invalid int32: "+t)}function ji(t){if(typeof t=="string")t=Number(t);else if(typeof t!="number")throw new Error("invalid uint32: "+typeof t);if(!Number.isInteger(t)||t>Oo||t<0)throw new Error("invalid uint32: "+t)}function Fu(t){if(typeof t=="string"){let e=t;if(t=Number(t),Number.isNaN(t)&&e!=="NaN")throw new Error("invalid float32: "+e)}else if(typeof t!="number")throw new Error("invalid float32: "+typeof t);if(Number.isFinite(t)&&(t>Go||t<Uo))throw new Error("invalid float32: "+t)}function ye(t,e){let n=t.fieldKind=="list"?Ft(e,t):t.fieldKind=="map"?Bt(e,t):Vo(t,e);if(n===!0)return;let r;switch(t.fieldKind){case"list":r=`expected ${qi(t)}, got ${J(e)}`;break;case"map":r=`expected ${ea(t)}, got ${J(e)}`;break;default:r=$n(t,e,n)}return new U(t,r)}function Bo(t,e,n){let r=Vo(t,n);if(r!==!0)return new U(t,`list item #${e+1}: ${$n(t,n,r)}`)}function Hi(t,e,n){let r=zi(e,t.mapKey);if(r!==!0)return new U(t,`invalid map key: ${$n({scalar:t.mapKey},e,r)}`);let o=Vo(t,n);if(o!==!0)return new U(t,`map entry ${J(e)}: ${$n(t,n,o)}`)}function Vo(t,e){return t.scalar!==void 0?zi(e,t.scalar):t.enum!==void 0?t.enum.open?Number.isInteger(e):t.enum.values.some(n=>n.number===e):Vt(e,t.message)}function zi(t,e){switch(e){case u.DOUBLE:return typeof t=="number";case u.FLOAT:return typeof t!="number"?!1:Number.isNaN(t)||!Number.isFinite(t)?!0:t>Go||t<Uo?`${t.toFixed()} out of range`:!0;case u.INT32:case u.SFIXED32:case u.SINT32:return typeof t!="number"||!Number.isInteger(t)?!1:t>Do||t<Fo?`${t.toFixed()} out of range`:!0;case u.FIXED32:case u.UINT32:return typeof t!="number"||!Number.isInteger(t)?!1:t>Oo||t<0?`${t.toFixed()} out of range`:!0;case u.BOOL:return typeof t=="boolean";case u.STRING:return typeof t!="string"?!1:Wt().checkUtf8(t)||"invalid UTF8";case u.BYTES:return t instanceof Uint8Array;case u.INT64:case u.SFIXED64:case u.SINT64:if(typeof t=="bigint"||typeof t=="number"||typeof t=="string"&&t.length>0)try{return N.parse(t),!0}catch{return`${t} out of range`}return!1;case u.FIXED64:case u.UINT64:if(typeof t=="bigint"||typeof t=="number"||typeof t=="string"&&t.length>0)try{return N.uParse(t),!0}catch{return`${t} out of range`}return!1}}function $n(t,e,n){return n=typeof n=="string"?`: ${n}`:`, got ${J(e)}`,t.scalar!==void 0?`expected ${Bu(t.scalar)}`+n:t.enum!==void 0?`expected ${t.enum.toString()}`+n:`expected ${Qi(t.message)}`+n}function J(t){switch(typeof t){case"object":return t===null?"null":t instanceof Uint8Array?`Uint8Array(${t.length})`:Array.isArray(t)?`Array(${t.length})`:Ft(t)?qi(t.field()):Bt(t)?ea(t.field()):Vt(t)?Qi(t.desc):Dt(t)?`message ${t.$typeName}`:"object";case"string":return t.length>30?"string":`"${t.split('"').join('\\"')}"`;case"boolean":return String(t);case"number":return String(t);case"bigint":return String(t)+"n";default:return typeof t}}function Qi(t){return`ReflectMessage (${t.typeName})`}function qi(t){switch(t.listKind){case"message":return`ReflectList (${t.message.toString()})`;case"enum":return`ReflectList (${t.enum.toString()})`;case"scalar":return`ReflectList (${u[t.scalar]})`}}function ea(t){switch(t.mapKind){case"message":return`ReflectMap (${u[t.mapKey]}, ${t.message.toString()})`;case"enum":return`ReflectMap (${u[t.mapKey]}, ${t.enum.toString()})`;case"scalar":return`ReflectMap (${u[t.mapKey]}, ${u[t.scalar]})`}}function Bu(t){switch(t){case u.STRING:return"string";case u.BOOL:return"boolean";case u.INT64:case u.SINT64:case u.SFIXED64:return"bigint (int64)";case u.UINT64:case u.FIXED64:return"bigint (uint64)";case u.BYTES:return"Uint8Array";case u.DOUBLE:return"number (float64)";case u.FLOAT:return"number (float32)";case u.FIXED32:case u.UINT32:return"number (uint32)";case u.INT32:case u.SFIXED32:case u.SINT32:return"number (int32)"}}function ta(t){return na(t.$typeName)}function le(t){let e=t.fields[0];return na(t.typeName)&&e!==void 0&&e.fieldKind=="scalar"&&e.name=="value"&&e.number==1}function na(t){return t.startsWith("google.protobuf.")&&["DoubleValue","FloatValue","Int64Value","UInt64Value","Int32Value","UInt32Value","BoolValue","StringValue","BytesValue"].includes(t.substring(16))}var Vu=999,Wu=998,Mn=2;function I(t,e){if(Dt(e,t))return e;let n=Xu(t);return e!==void 0&&Pu(t,n,e),n}function Pu(t,e,n){for(let r of t.members){let o=n[r.localName];if(o==null)continue;let s;if(r.kind=="oneof"){let i=Nn(n,r);if(!i)continue;s=i,o=Rn(n,i)}else s=r;switch(s.fieldKind){case"message":o=Po(s,o);break;case"scalar":o=sa(s,o);break;case"list":o=Zu(s,o);break;case"map":o=Yu(s,o);break}kn(e,s,o)}return e}function sa(t,e){return t.scalar==u.BYTES?Yo(e):e}function Yu(t,e){if(ae(e)){if(t.scalar==u.BYTES)return ra(e,Yo);if(t.mapKind=="message")return ra(e,n=>Po(t,n))}return e}function Zu(t,e){if(Array.isArray(e)){if(t.scalar==u.BYTES)return e.map(Yo);if(t.listKind=="message")return e.map(n=>Po(t,n))}return e}function Po(t,e){if(t.fieldKind=="message"&&!t.oneof&&le(t.message))return sa(t.message.fields[0],e);if(ae(e)){if(t.message.typeName=="google.protobuf.Struct"&&t.parent.typeName!=="google.protobuf.Value")return e;if(!Dt(e,t.message))return I(t.message,e)}return e}function Yo(t){return Array.isArray(t)?new Uint8Array(t):t}function ra(t,e){let n={};for(let r of Object.entries(t))n[r[0]]=e(r[1]);return n}var Ku=Symbol(),oa=new WeakMap;function Xu(t){let e;if(ju(t)){let n=oa.get(t),r,o;if(n)({prototype:r,members:o}=n);else{r={},o=new Set;for(let s of t.members)s.kind!="oneof"&&(s.fieldKind!="scalar"&&s.fieldKind!="enum"||s.presence!=Mn&&(o.add(s),r[s.localName]=Wo(s)));oa.set(t,{prototype:r,members:o})}e=Object.create(r),e.$typeName=t.typeName;for(let s of t.members)o.has(s)||s.kind=="field"&&(s.fieldKind=="message"||(s.fieldKind=="scalar"||s.fieldKind=="enum")&&s.presence!=Mn)||(e[s.localName]=Wo(s))}else{e={$typeName:t.typeName};for(let n of t.members)(n.kind=="oneof"||n.presence==Mn)&&(e[n.localName]=Wo(n))}return e}function ju(t){switch(t.file.edition){case Vu:return!1;case Wu:return!0;default:return t.fields.some(e=>e.presence!=Mn&&e.fieldKind!="message"&&!e.oneof)}}function Wo(t){if(t.kind=="oneof")return{case:void 0};if(t.fieldKind=="list")return[];if(t.fieldKind=="map")return{};if(t.fieldKind=="message")return Ku;let e=t.getDefaultValue();return e!==void 0?t.fieldKind=="scalar"&&t.longAsString?e.toString():e:t.fieldKind=="scalar"?ee(t.scalar,t.longAsString):t.enum.values[0].number}function G(t,e,n=!0){return new Gn(t,e,n)}var Gn=class{get sortedFields(){var e;return(e=this._sortedFields)!==null&&e!==void 0?e:this._sortedFields=this.desc.fields.concat().sort((n,r)=>n.number-r.number)}constructor(e,n,r=!0){this.lists=new Map,this.maps=new Map,this.check=r,this.desc=e,this.message=this[oe]=n??I(e),this.fields=e.fields,this.oneofs=e.oneofs,this.members=e.members}findNumber(e){return this._fieldsByNumber||(this._fieldsByNumber=new Map(this.desc.fields.map(n=>[n.number,n]))),this._fieldsByNumber.get(e)}oneofCase(e){return Pt(this.message,e),Nn(this.message,e)}isSet(e){return Pt(this.message,e),Li(this.message,e)}clear(e){Pt(this.message,e),_i(this.message,e)}get(e){Pt(this.message,e);let n=Rn(this.message,e);switch(e.fieldKind){case"list":let r=this.lists.get(e);return(!r||r[oe]!==n)&&this.lists.set(e,r=new Xo(e,n,this.check)),r;case"map":let o=this.maps.get(e);return(!o||o[oe]!==n)&&this.maps.set(e,o=new jo(e,n,this.check)),o;case"message":return zo(e,n,this.check);case"scalar":return n===void 0?ee(e.scalar,!1):Qo(e,n);case"enum":return n??e.enum.values[0].number}}set(e,n){if(Pt(this.message,e),this.check){let o=ye(e,n);if(o)throw o}let r;e.fieldKind=="message"?r=Ho(e,n):Bt(n)||Ft(n)?r=n[oe]:r=qo(e,n),kn(this.message,e,r)}getUnknown(){return this.message.$unknown}setUnknown(e){this.message.$unknown=e}};function Pt(t,e){if(e.parent.typeName!==t.$typeName)throw new U(e,`cannot use ${e.toString()} with message ${t.$typeName}`,"ForeignFieldError")}var Xo=class{field(){return this._field}get size(){return this._arr.length}constructor(e,n,r){this._field=e,this._arr=this[oe]=n,this.check=r}get(e){let n=this._arr[e];return n===void 0?void 0:Zo(this._field,n,this.check)}set(e,n){if(e<0||e>=this._arr.length)throw new U(this._field,`list item #${e+1}: out of range`);if(this.check){let r=Bo(this._field,e,n);if(r)throw r}this._arr[e]=ia(this._field,n)}add(e){if(this.check){let n=Bo(this._field,this._arr.length,e);if(n)throw n}this._arr.push(ia(this._field,e))}clear(){this._arr.splice(0,this._arr.length)}[Symbol.iterator](){return this.values()}keys(){return this._arr.keys()}*values(){for(let e of this._arr)yield Zo(this._field,e,this.check)}*entries(){for(let e=0;e<this._arr.length;e++)yield[e,Zo(this._field,this._arr[e],this.check)]}};var jo=class{constructor(e,n,r=!0){this.obj=this[oe]=n??{},this.check=r,this._field=e}field(){return this._field}set(e,n){if(this.check){let r=Hi(this._field,e,n);if(r)throw r}return this.obj[Jn(e)]=Hu(this._field,n),this}delete(e){let n=Jn(e),r=Object.prototype.hasOwnProperty.call(this.obj,n);return r&&delete this.obj[n],r}clear(){for(let e of Object.keys(this.obj))delete this.obj[e]}get(e){let n=this.obj[Jn(e)];return n!==void 0&&(n=Ko(this._field,n,this.check)),n}has(e){return Object.prototype.hasOwnProperty.call(this.obj,Jn(e))}*keys(){for(let e of Object.keys(this.obj))yield aa(e,this._field.mapKey)}*entries(){for(let e of Object.entries(this.obj))yield[aa(e[0],this._field.mapKey),Ko(this._field,e[1],this.check)]}[Symbol.iterator](){return this.entries()}get size(){return Object.keys(this.obj).length}*values(){for(let e of Object.values(this.obj))yield Ko(this._field,e,this.check)}forEach(e,n){for(let r of this.entries())e.call(n,r[1],r[0],this)}};function Ho(t,e){return Vt(e)?ta(e.message)&&!t.oneof&&t.fieldKind=="message"?e.message.value:e.desc.typeName=="google.protobuf.Struct"&&t.parent.typeName!="google.protobuf.Value"?ca(e.message):e.message:e}function zo(t,e,n){return e!==void 0&&(le(t.message)&&!t.oneof&&t.fieldKind=="message"?e={$typeName:t.message.typeName,value:Qo(t.message.fields[0],e)}:t.message.typeName=="google.protobuf.Struct"&&t.parent.typeName!="google.protobuf.Value"&&ae(e)&&(e=la(e))),new Gn(t.message,e,n)}function ia(t,e){return t.listKind=="message"?Ho(t,e):qo(t,e)}function Zo(t,e,n){return t.listKind=="message"?zo(t,e,n):Qo(t,e)}function Hu(t,e){return t.mapKind=="message"?Ho(t,e):qo(t,e)}function Ko(t,e,n){return t.mapKind=="message"?zo(t,e,n):e}function Jn(t){return typeof t=="string"||typeof t=="number"?t:String(t)}function aa(t,e){switch(e){case u.STRING:return t;case u.INT32:case u.FIXED32:case u.UINT32:case u.SFIXED32:case u.SINT32:{let n=Number.parseInt(t);if(Number.isFinite(n))return n;break}case u.BOOL:switch(t){case"true":return!0;case"false":return!1}break;case u.UINT64:case u.FIXED64:try{return N.uParse(t)}catch{}break;default:try{return N.parse(t)}catch{}break}return t}function Qo(t,e){switch(t.scalar){case u.INT64:case u.SFIXED64:case u.SINT64:"longAsString"in t&&t.longAsString&&typeof e=="string"&&(e=N.parse(e));break;case u.FIXED64:case u.UINT64:"longAsString"in t&&t.longAsString&&typeof e=="string"&&(e=N.uParse(e));break}return e}function qo(t,e){switch(t.scalar){case u.INT64:case u.SFIXED64:case u.SINT64:"longAsString"in t&&t.longAsString?e=String(e):(typeof e=="string"||typeof e=="number")&&(e=N.parse(e));break;case u.FIXED64:case u.UINT64:"longAsString"in t&&t.longAsString?e=String(e):(typeof e=="string"||typeof e=="number")&&(e=N.uParse(e));break}return e}function la(t){let e={$typeName:"google.protobuf.Struct",fields:{}};if(ae(t))for(let[n,r]of Object.entries(t))e.fields[n]=ua(r);return e}function ca(t){let e={};for(let[n,r]of Object.entries(t.fields))e[n]=da(r);return e}function da(t){switch(t.kind.case){case"structValue":return ca(t.kind.value);case"listValue":return t.kind.value.values.map(da);case"nullValue":case void 0:return null;default:return t.kind.value}}function ua(t){let e={$typeName:"google.protobuf.Value",kind:{case:void 0}};switch(typeof t){case"number":e.kind={case:"numberValue",value:t};break;case"string":e.kind={case:"stringValue",value:t};break;case"boolean":e.kind={case:"boolValue",value:t};break;case"object":if(t===null)e.kind={case:"nullValue",value:0};else if(Array.isArray(t)){let n={$typeName:"google.protobuf.ListValue",values:[]};if(Array.isArray(t))for(let r of t)n.values.push(ua(r));e.kind={case:"listValue",value:n}}else e.kind={case:"structValue",value:la(t)};break}return e}var zu=3,pa={writeUnknownFields:!0};function Qu(t){return t?Object.assign(Object.assign({},pa),t):pa}function Yt(t,e,n){return Un(new Ce,Qu(n),G(t,e)).finish()}function Un(t,e,n){var r;for(let o of n.sortedFields){if(!n.isSet(o)){if(o.presence==zu)throw new Error(`cannot encode ${o} to binary: required field not set`);continue}es(t,e,n,o)}if(e.writeUnknownFields)for(let{no:o,wireType:s,data:i}of(r=n.getUnknown())!==null&&r!==void 0?r:[])t.tag(o,s).raw(i);return t}function es(t,e,n,r){var o;switch(r.fieldKind){case"scalar":case"enum":On(t,n.desc.typeName,r.name,(o=r.scalar)!==null&&o!==void 0?o:u.INT32,r.number,n.get(r));break;case"list":qu(t,e,r,n.get(r));break;case"message":ma(t,e,r,n.get(r));break;case"map":for(let[s,i]of n.get(r))ep(t,e,r,s,i);break}}function On(t,e,n,r,o,s){fa(t.tag(o,tp(r)),e,n,r,s)}function ma(t,e,n,r){n.delimitedEncoding?Un(t.tag(n.number,_.StartGroup),e,r).tag(n.number,_.EndGroup):Un(t.tag(n.number,_.LengthDelimited).fork(),e,r).join()}function qu(t,e,n,r){var o;if(n.listKind=="message"){for(let i of r)ma(t,e,n,i);return}let s=(o=n.scalar)!==null&&o!==void 0?o:u.INT32;if(n.packed){if(!r.size)return;t.tag(n.number,_.LengthDelimited).fork();for(let i of r)fa(t,n.parent.typeName,n.name,s,i);t.join();return}for(let i of r)On(t,n.parent.typeName,n.name,s,n.number,i)}function ep(t,e,n,r,o){var s;switch(t.tag(n.number,_.LengthDelimited).fork(),On(t,n.parent.typeName,n.name,n.mapKey,1,r),n.mapKind){case"scalar":case"enum":On(t,n.parent.typeName,n.name,(s=n.scalar)!==null&&s!==void 0?s:u.INT32,2,o);break;case"message":Un(t.tag(2,_.LengthDelimited).fork(),e,o).join();break}t.join()}function fa(t,e,n,r,o){try{switch(r){case u.STRING:t.string(o);break;case u.BOOL:t.bool(o);break;case u.DOUBLE:t.double(o);break;case u.FLOAT:t.float(o);break;case u.INT32:t.int32(o);break;case u.INT64:t.int64(o);break;case u.UINT64:t.uint64(o);break;case u.FIXED64:t.fixed64(o);break;case u.BYTES:t.bytes(o);break;case u.FIXED32:t.fixed32(o);break;case u.SFIXED32:t.sfixed32(o);break;case u.SFIXED64:t.sfixed64(o);break;case u.SINT64:t.sint64(o);break;case u.UINT32:t.uint32(o);break;case u.SINT32:t.sint32(o);break}}catch(s){throw s instanceof Error?new Error(`cannot encode field ${e}.${n} to binary: ${s.message}`):s}}function tp(t){switch(t){case u.BYTES:case u.STRING:return _.LengthDelimited;case u.DOUBLE:case u.FIXED64:case u.SFIXED64:return _.Bit64;case u.FIXED32:case u.SFIXED32:case u.FLOAT:return _.Bit32;default:return _.Varint}}function k(t,e,...n){return n.reduce((r,o)=>r.nestedMessages[o],t.messages[e])}var np=Wi({name:"google/protobuf/descriptor.proto",package:"google.protobuf",messageType:[{name:"FileDescriptorSet",field:[{name:"file",number:1,type:11,label:3,typeName:".google.protobuf.FileDescriptorProto"}],extensionRange:[{start:536e6,end:536000001}]},{name:"FileDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"package",number:2,type:9,label:1},{name:"dependency",number:3,type:9,label:3},{name:"public_dependency",number:10,type:5,label:3},{name:"weak_dependency",number:11,type:5,label:3},{name:"option_dependency",number:15,type:9,label:3},{name:"message_type",number:4,type:11,label:3,typeName:".google.protobuf.DescriptorProto"},{name:"enum_type",number:5,type:11,label:3,typeName:".google.protobuf.EnumDescriptorProto"},{name:"service",number:6,type:11,label:3,typeName:".google.protobuf.ServiceDescriptorProto"},{name:"extension",number:7,type:11,label:3,typeName:".google.protobuf.FieldDescriptorProto"},{name:"options",number:8,type:11,label:1,typeName:".google.protobuf.FileOptions"},{name:"source_code_info",number:9,type:11,label:1,typeName:".google.protobuf.SourceCodeInfo"},{name:"syntax",number:12,type:9,label:1},{name:"edition",number:14,type:14,label:1,typeName:".google.protobuf.Edition"}]},{name:"DescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"field",number:2,type:11,label:3,typeName:".google.protobuf.FieldDescriptorProto"},{name:"extension",number:6,type:11,label:3,typeName:".google.protobuf.FieldDescriptorProto"},{name:"nested_type",number:3,type:11,label:3,typeName:".google.protobuf.DescriptorProto"},{name:"enum_type",number:4,type:11,label:3,typeName:".google.protobuf.EnumDescriptorProto"},{name:"extension_range",number:5,type:11,label:3,typeName:".google.protobuf.DescriptorProto.ExtensionRange"},{name:"oneof_decl",number:8,type:11,label:3,typeName:".google.protobuf.OneofDescriptorProto"},{name:"options",number:7,type:11,label:1,typeName:".google.protobuf.MessageOptions"},{name:"reserved_range",number:9,type:11,label:3,typeName:".google.protobuf.DescriptorProto.ReservedRange"},{name:"reserved_name",number:10,type:9,label:3},{name:"visibility",number:11,type:14,label:1,typeName:".google.protobuf.SymbolVisibility"}],nestedType:[{name:"ExtensionRange",field:[{name:"start",number:1,type:5,label:1},{name:"end",number:2,type:5,label:1},{name:"options",number:3,type:11,label:1,typeName:".google.protobuf.ExtensionRangeOptions"}]},{name:"ReservedRange",field:[{name:"start",number:1,type:5,label:1},{name:"end",number:2,type:5,label:1}]}]},{name:"ExtensionRangeOptions",field:[{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"},{name:"declaration",number:2,type:11,label:3,typeName:".google.protobuf.ExtensionRangeOptions.Declaration",options:{retention:2}},{name:"features",number:50,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"verification",number:3,type:14,label:1,typeName:".google.protobuf.ExtensionRangeOptions.VerificationState",defaultValue:"UNVERIFIED",options:{retention:2}}],nestedType:[{name:"Declaration",field:[{name:"number",number:1,type:5,label:1},{name:"full_name",number:2,type:9,label:1},{name:"type",number:3,type:9,label:1},{name:"reserved",number:5,type:8,label:1},{name:"repeated",number:6,type:8,label:1}]}],enumType:[{name:"VerificationState",value:[{name:"DECLARATION",number:0},{name:"UNVERIFIED",number:1}]}],extensionRange:[{start:1e3,end:536870912}]},{name:"FieldDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"number",number:3,type:5,label:1},{name:"label",number:4,type:14,label:1,typeName:".google.protobuf.FieldDescriptorProto.Label"},{name:"type",number:5,type:14,label:1,typeName:".google.protobuf.FieldDescriptorProto.Type"},{name:"type_name",number:6,type:9,label:1},{name:"extendee",number:2,type:9,label:1},{name:"default_value",number:7,type:9,label:1},{name:"oneof_index",number:9,type:5,label:1},{name:"json_name",number:10,type:9,label:1},{name:"options",number:8,type:11,label:1,typeName:".google.protobuf.FieldOptions"},{name:"proto3_optional",number:17,type:8,label:1}],enumType:[{name:"Type",value:[{name:"TYPE_DOUBLE",number:1},{name:"TYPE_FLOAT",number:2},{name:"TYPE_INT64",number:3},{name:"TYPE_UINT64",number:4},{name:"TYPE_INT32",number:5},{name:"TYPE_FIXED64",number:6},{name:"TYPE_FIXED32",number:7},{name:"TYPE_BOOL",number:8},{name:"TYPE_STRING",number:9},{name:"TYPE_GROUP",number:10},{name:"TYPE_MESSAGE",number:11},{name:"TYPE_BYTES",number:12},{name:"TYPE_UINT32",number:13},{name:"TYPE_ENUM",number:14},{name:"TYPE_SFIXED32",number:15},{name:"TYPE_SFIXED64",number:16},{name:"TYPE_SINT32",number:17},{name:"TYPE_SINT64",number:18}]},{name:"Label",value:[{name:"LABEL_OPTIONAL",number:1},{name:"LABEL_REPEATED",number:3},{name:"LABEL_REQUIRED",number:2}]}]},{name:"OneofDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"options",number:2,type:11,label:1,typeName:".google.protobuf.OneofOptions"}]},{name:"EnumDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"value",number:2,type:11,label:3,typeName:".google.protobuf.EnumValueDescriptorProto"},{name:"options",number:3,type:11,label:1,typeName:".google.protobuf.EnumOptions"},{name:"reserved_range",number:4,type:11,label:3,typeName:".google.protobuf.EnumDescriptorProto.EnumReservedRange"},{name:"reserved_name",number:5,type:9,label:3},{name:"visibility",number:6,type:14,label:1,typeName:".google.protobuf.SymbolVisibility"}],nestedType:[{name:"EnumReservedRange",field:[{name:"start",number:1,type:5,label:1},{name:"end",number:2,type:5,label:1}]}]},{name:"EnumValueDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"number",number:2,type:5,label:1},{name:"options",number:3,type:11,label:1,typeName:".google.protobuf.EnumValueOptions"}]},{name:"ServiceDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"method",number:2,type:11,label:3,typeName:".google.protobuf.MethodDescriptorProto"},{name:"options",number:3,type:11,label:1,typeName:".google.protobuf.ServiceOptions"}]},{name:"MethodDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"input_type",number:2,type:9,label:1},{name:"output_type",number:3,type:9,label:1},{name:"options",number:4,type:11,label:1,typeName:".google.protobuf.MethodOptions"},{name:"client_streaming",number:5,type:8,label:1,defaultValue:"false"},{name:"server_streaming",number:6,type:8,label:1,defaultValue:"false"}]},{name:"FileOptions",field:[{name:"java_package",number:1,type:9,label:1},{name:"java_outer_classname",number:8,type:9,label:1},{name:"java_multiple_files",number:10,type:8,label:1,defaultValue:"false"},{name:"java_generate_equals_and_hash",number:20,type:8,label:1,options:{deprecated:!0}},{name:"java_string_check_utf8",number:27,type:8,label:1,defaultValue:"false"},{name:"optimize_for",number:9,type:14,label:1,typeName:".google.protobuf.FileOptions.OptimizeMode",defaultValue:"SPEED"},{name:"go_package",number:11,type:9,label:1},{name:"cc_generic_services",number:16,type:8,label:1,defaultValue:"false"},{name:"java_generic_services",number:17,type:8,label:1,defaultValue:"false"},{name:"py_generic_services",number:18,type:8,label:1,defaultValue:"false"},{name:"deprecated",number:23,type:8,label:1,defaultValue:"false"},{name:"cc_enable_arenas",number:31,type:8,label:1,defaultValue:"true"},{name:"objc_class_prefix",number:36,type:9,label:1},{name:"csharp_namespace",number:37,type:9,label:1},{name:"swift_prefix",number:39,type:9,label:1},{name:"php_class_prefix",number:40,type:9,label:1},{name:"php_namespace",number:41,type:9,label:1},{name:"php_metadata_namespace",number:44,type:9,label:1},{name:"ruby_package",number:45,type:9,label:1},{name:"features",number:50,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],enumType:[{name:"OptimizeMode",value:[{name:"SPEED",number:1},{name:"CODE_SIZE",number:2},{name:"LITE_RUNTIME",number:3}]}],extensionRange:[{start:1e3,end:536870912}]},{name:"MessageOptions",field:[{name:"message_set_wire_format",number:1,type:8,label:1,defaultValue:"false"},{name:"no_standard_descriptor_accessor",number:2,type:8,label:1,defaultValue:"false"},{name:"deprecated",number:3,type:8,label:1,defaultValue:"false"},{name:"map_entry",number:7,type:8,label:1},{name:"deprecated_legacy_json_field_conflicts",number:11,type:8,label:1,options:{deprecated:!0}},{name:"features",number:12,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],extensionRange:[{start:1e3,end:536870912}]},{name:"FieldOptions",field:[{name:"ctype",number:1,type:14,label:1,typeName:".google.protobuf.FieldOptions.CType",defaultValue:"STRING"},{name:"packed",number:2,type:8,label:1},{name:"jstype",number:6,type:14,label:1,typeName:".google.protobuf.FieldOptions.JSType",defaultValue:"JS_NORMAL"},{name:"lazy",number:5,type:8,label:1,defaultValue:"false"},{name:"unverified_lazy",number:15,type:8,label:1,defaultValue:"false"},{name:"deprecated",number:3,type:8,label:1,defaultValue:"false"},{name:"weak",number:10,type:8,label:1,defaultValue:"false"},{name:"debug_redact",number:16,type:8,label:1,defaultValue:"false"},{name:"retention",number:17,type:14,label:1,typeName:".google.protobuf.FieldOptions.OptionRetention"},{name:"targets",number:19,type:14,label:3,typeName:".google.protobuf.FieldOptions.OptionTargetType"},{name:"edition_defaults",number:20,type:11,label:3,typeName:".google.protobuf.FieldOptions.EditionDefault"},{name:"features",number:21,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"feature_support",number:22,type:11,label:1,typeName:".google.protobuf.FieldOptions.FeatureSupport"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],nestedType:[{name:"EditionDefault",field:[{name:"edition",number:3,type:14,label:1,typeName:".google.protobuf.Edition"},{name:"value",number:2,type:9,label:1}]},{name:"FeatureSupport",field:[{name:"edition_introduced",number:1,type:14,label:1,typeName:".google.protobuf.Edition"},{name:"edition_deprecated",number:2,type:14,label:1,typeName:".google.protobuf.Edition"},{name:"deprecation_warning",number:3,type:9,label:1},{name:"edition_removed",number:4,type:14,label:1,typeName:".google.protobuf.Edition"}]}],enumType:[{name:"CType",value:[{name:"STRING",number:0},{name:"CORD",number:1},{name:"STRING_PIECE",number:2}]},{name:"JSType",value:[{name:"JS_NORMAL",number:0},{name:"JS_STRING",number:1},{name:"JS_NUMBER",number:2}]},{name:"OptionRetention",value:[{name:"RETENTION_UNKNOWN",number:0},{name:"RETENTION_RUNTIME",number:1},{name:"RETENTION_SOURCE",number:2}]},{name:"OptionTargetType",value:[{name:"TARGET_TYPE_UNKNOWN",number:0},{name:"TARGET_TYPE_FILE",number:1},{name:"TARGET_TYPE_EXTENSION_RANGE",number:2},{name:"TARGET_TYPE_MESSAGE",number:3},{name:"TARGET_TYPE_FIELD",number:4},{name:"TARGET_TYPE_ONEOF",number:5},{name:"TARGET_TYPE_ENUM",number:6},{name:"TARGET_TYPE_ENUM_ENTRY",number:7},{name:"TARGET_TYPE_SERVICE",number:8},{name:"TARGET_TYPE_METHOD",number:9}]}],extensionRange:[{start:1e3,end:536870912}]},{name:"OneofOptions",field:[{name:"features",number:1,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],extensionRange:[{start:1e3,end:536870912}]},{name:"EnumOptions",field:[{name:"allow_alias",number:2,type:8,label:1},{name:"deprecated",number:3,type:8,label:1,defaultValue:"false"},{name:"deprecated_legacy_json_field_conflicts",number:6,type:8,label:1,options:{deprecated:!0}},{name:"features",number:7,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],extensionRange:[{start:1e3,end:536870912}]},{name:"EnumValueOptions",field:[{name:"deprecated",number:1,type:8,label:1,defaultValue:"false"},{name:"features",number:2,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"debug_redact",number:3,type:8,label:1,defaultValue:"false"},{name:"feature_support",number:4,type:11,label:1,typeName:".google.protobuf.FieldOptions.FeatureSupport"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],extensionRange:[{start:1e3,end:536870912}]},{name:"ServiceOptions",field:[{name:"features",number:34,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"deprecated",number:33,type:8,label:1,defaultValue:"false"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],extensionRange:[{start:1e3,end:536870912}]},{name:"MethodOptions",field:[{name:"deprecated",number:33,type:8,label:1,defaultValue:"false"},{name:"idempotency_level",number:34,type:14,label:1,typeName:".google.protobuf.MethodOptions.IdempotencyLevel",defaultValue:"IDEMPOTENCY_UNKNOWN"},{name:"features",number:35,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],enumType:[{name:"IdempotencyLevel",value:[{name:"IDEMPOTENCY_UNKNOWN",number:0},{name:"NO_SIDE_EFFECTS",number:1},{name:"IDEMPOTENT",number:2}]}],extensionRange:[{start:1e3,end:536870912}]},{name:"UninterpretedOption",field:[{name:"name",number:2,type:11,label:3,typeName:".google.protobuf.UninterpretedOption.NamePart"},{name:"identifier_value",number:3,type:9,label:1},{name:"positive_int_value",number:4,type:4,label:1},{name:"negative_int_value",number:5,type:3,label:1},{name:"double_value",number:6,type:1,label:1},{name:"string_value",number:7,type:12,label:1},{name:"aggregate_value",number:8,type:9,label:1}],nestedType:[{name:"NamePart",field:[{name:"name_part",number:1,type:9,label:2},{name:"is_extension",number:2,type:8,label:2}]}]},{name:"FeatureSet",field:[{name:"field_presence",number:1,type:14,label:1,typeName:".google.protobuf.FeatureSet.FieldPresence",options:{retention:1,targets:[4,1],editionDefaults:[{value:"EXPLICIT",edition:900},{value:"IMPLICIT",edition:999},{value:"EXPLICIT",edition:1e3}]}},{name:"enum_type",number:2,type:14,label:1,typeName:".google.protobuf.FeatureSet.EnumType",options:{retention:1,targets:[6,1],editionDefaults:[{value:"CLOSED",edition:900},{value:"OPEN",edition:999}]}},{name:"repeated_field_encoding",number:3,type:14,label:1,typeName:".google.protobuf.FeatureSet.RepeatedFieldEncoding",options:{retention:1,targets:[4,1],editionDefaults:[{value:"EXPANDED",edition:900},{value:"PACKED",edition:999}]}},{name:"utf8_validation",number:4,type:14,label:1,typeName:".google.protobuf.FeatureSet.Utf8Validation",options:{retention:1,targets:[4,1],editionDefaults:[{value:"NONE",edition:900},{value:"VERIFY",edition:999}]}},{name:"message_encoding",number:5,type:14,label:1,typeName:".google.protobuf.FeatureSet.MessageEncoding",options:{retention:1,targets:[4,1],editionDefaults:[{value:"LENGTH_PREFIXED",edition:900}]}},{name:"json_format",number:6,type:14,label:1,typeName:".google.protobuf.FeatureSet.JsonFormat",options:{retention:1,targets:[3,6,1],editionDefaults:[{value:"LEGACY_BEST_EFFORT",edition:900},{value:"ALLOW",edition:999}]}},{name:"enforce_naming_style",number:7,type:14,label:1,typeName:".google.protobuf.FeatureSet.EnforceNamingStyle",options:{retention:2,targets:[1,2,3,4,5,6,7,8,9],editionDefaults:[{value:"STYLE_LEGACY",edition:900},{value:"STYLE2024",edition:1001}]}},{name:"default_symbol_visibility",number:8,type:14,label:1,typeName:".google.protobuf.FeatureSet.VisibilityFeature.DefaultSymbolVisibility",options:{retention:2,targets:[1],editionDefaults:[{value:"EXPORT_ALL",edition:900},{value:"EXPORT_TOP_LEVEL",edition:1001}]}}],nestedType:[{name:"VisibilityFeature",enumType:[{name:"DefaultSymbolVisibility",value:[{name:"DEFAULT_SYMBOL_VISIBILITY_UNKNOWN",number:0},{name:"EXPORT_ALL",number:1},{name:"EXPORT_TOP_LEVEL",number:2},{name:"LOCAL_ALL",number:3},{name:"STRICT",number:4}]}]}],enumType:[{name:"FieldPresence",value:[{name:"FIELD_PRESENCE_UNKNOWN",number:0},{name:"EXPLICIT",number:1},{name:"IMPLICIT",number:2},{name:"LEGACY_REQUIRED",number:3}]},{name:"EnumType",value:[{name:"ENUM_TYPE_UNKNOWN",number:0},{name:"OPEN",number:1},{name:"CLOSED",number:2}]},{name:"RepeatedFieldEncoding",value:[{name:"REPEATED_FIELD_ENCODING_UNKNOWN",number:0},{name:"PACKED",number:1},{name:"EXPANDED",number:2}]},{name:"Utf8Validation",value:[{name:"UTF8_VALIDATION_UNKNOWN",number:0},{name:"VERIFY",number:2},{name:"NONE",number:3}]},{name:"MessageEncoding",value:[{name:"MESSAGE_ENCODING_UNKNOWN",number:0},{name:"LENGTH_PREFIXED",number:1},{name:"DELIMITED",number:2}]},{name:"JsonFormat",value:[{name:"JSON_FORMAT_UNKNOWN",number:0},{name:"ALLOW",number:1},{name:"LEGACY_BEST_EFFORT",number:2}]},{name:"EnforceNamingStyle",value:[{name:"ENFORCE_NAMING_STYLE_UNKNOWN",number:0},{name:"STYLE2024",number:1},{name:"STYLE_LEGACY",number:2}]}],extensionRange:[{start:1e3,end:9995},{start:9995,end:1e4},{start:1e4,end:10001}]},{name:"FeatureSetDefaults",field:[{name:"defaults",number:1,type:11,label:3,typeName:".google.protobuf.FeatureSetDefaults.FeatureSetEditionDefault"},{name:"minimum_edition",number:4,type:14,label:1,typeName:".google.protobuf.Edition"},{name:"maximum_edition",number:5,type:14,label:1,typeName:".google.protobuf.Edition"}],nestedType:[{name:"FeatureSetEditionDefault",field:[{name:"edition",number:3,type:14,label:1,typeName:".google.protobuf.Edition"},{name:"overridable_features",number:4,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"fixed_features",number:5,type:11,label:1,typeName:".google.protobuf.FeatureSet"}]}]},{name:"SourceCodeInfo",field:[{name:"location",number:1,type:11,label:3,typeName:".google.protobuf.SourceCodeInfo.Location"}],nestedType:[{name:"Location",field:[{name:"path",number:1,type:5,label:3,options:{packed:!0}},{name:"span",number:2,type:5,label:3,options:{packed:!0}},{name:"leading_comments",number:3,type:9,label:1},{name:"trailing_comments",number:4,type:9,label:1},{name:"leading_detached_comments",number:6,type:9,label:3}]}],extensionRange:[{start:536e6,end:536000001}]},{name:"GeneratedCodeInfo",field:[{name:"annotation",number:1,type:11,label:3,typeName:".google.protobuf.GeneratedCodeInfo.Annotation"}],nestedType:[{name:"Annotation",field:[{name:"path",number:1,type:5,label:3,options:{packed:!0}},{name:"source_file",number:2,type:9,label:1},{name:"begin",number:3,type:5,label:1},{name:"end",number:4,type:5,label:1},{name:"semantic",number:5,type:14,label:1,typeName:".google.protobuf.GeneratedCodeInfo.Annotation.Semantic"}],enumType:[{name:"Semantic",value:[{name:"NONE",number:0},{name:"SET",number:1},{name:"ALIAS",number:2}]}]}]}],enumType:[{name:"Edition",value:[{name:"EDITION_UNKNOWN",number:0},{name:"EDITION_LEGACY",number:900},{name:"EDITION_PROTO2",number:998},{name:"EDITION_PROTO3",number:999},{name:"EDITION_2023",number:1e3},{name:"EDITION_2024",number:1001},{name:"EDITION_1_TEST_ONLY",number:1},{name:"EDITION_2_TEST_ONLY",number:2},{name:"EDITION_99997_TEST_ONLY",number:99997},{name:"EDITION_99998_TEST_ONLY",number:99998},{name:"EDITION_99999_TEST_ONLY",number:99999},{name:"EDITION_MAX",number:2147483647}]},{name:"SymbolVisibility",value:[{name:"VISIBILITY_UNSET",number:0},{name:"VISIBILITY_LOCAL",number:1},{name:"VISIBILITY_EXPORT",number:2}]}]});var Ma=k(np,1);var ha;(function(t){t[t.DECLARATION=0]="DECLARATION",t[t.UNVERIFIED=1]="UNVERIFIED"})(ha||(ha={}));var ga;(function(t){t[t.DOUBLE=1]="DOUBLE",t[t.FLOAT=2]="FLOAT",t[t.INT64=3]="INT64",t[t.UINT64=4]="UINT64",t[t.INT32=5]="INT32",t[t.FIXED64=6]="FIXED64",t[t.FIXED32=7]="FIXED32",t[t.BOOL=8]="BOOL",t[t.STRING=9]="STRING",t[t.GROUP=10]="GROUP",t[t.MESSAGE=11]="MESSAGE",t[t.BYTES=12]="BYTES",t[t.UINT32=13]="UINT32",t[t.ENUM=14]="ENUM",t[t.SFIXED32=15]="SFIXED32",t[t.SFIXED64=16]="SFIXED64",t[t.SINT32=17]="SINT32",t[t.SINT64=18]="SINT64"})(ga||(ga={}));var ba;(function(t){t[t.OPTIONAL=1]="OPTIONAL",t[t.REPEATED=3]="REPEATED",t[t.REQUIRED=2]="REQUIRED"})(ba||(ba={}));var ya;(function(t){t[t.SPEED=1]="SPEED",t[t.CODE_SIZE=2]="CODE_SIZE",t[t.LITE_RUNTIME=3]="LITE_RUNTIME"})(ya||(ya={}));var va;(function(t){t[t.STRING=0]="STRING",t[t.CORD=1]="CORD",t[t.STRING_PIECE=2]="STRING_PIECE"})(va||(va={}));var Ea;(function(t){t[t.JS_NORMAL=0]="JS_NORMAL",t[t.JS_STRING=1]="JS_STRING",t[t.JS_NUMBER=2]="JS_NUMBER"})(Ea||(Ea={}));var wa;(function(t){t[t.RETENTION_UNKNOWN=0]="RETENTION_UNKNOWN",t[t.RETENTION_RUNTIME=1]="RETENTION_RUNTIME",t[t.RETENTION_SOURCE=2]="RETENTION_SOURCE"})(wa||(wa={}));var Sa;(function(t){t[t.TARGET_TYPE_UNKNOWN=0]="TARGET_TYPE_UNKNOWN",t[t.TARGET_TYPE_FILE=1]="TARGET_TYPE_FILE",t[t.TARGET_TYPE_EXTENSION_RANGE=2]="TARGET_TYPE_EXTENSION_RANGE",t[t.TARGET_TYPE_MESSAGE=3]="TARGET_TYPE_MESSAGE",t[t.TARGET_TYPE_FIELD=4]="TARGET_TYPE_FIELD",t[t.TARGET_TYPE_ONEOF=5]="TARGET_TYPE_ONEOF",t[t.TARGET_TYPE_ENUM=6]="TARGET_TYPE_ENUM",t[t.TARGET_TYPE_ENUM_ENTRY=7]="TARGET_TYPE_ENUM_ENTRY",t[t.TARGET_TYPE_SERVICE=8]="TARGET_TYPE_SERVICE",t[t.TARGET_TYPE_METHOD=9]="TARGET_TYPE_METHOD"})(Sa||(Sa={}));var Dn;(function(t){t[t.IDEMPOTENCY_UNKNOWN=0]="IDEMPOTENCY_UNKNOWN",t[t.NO_SIDE_EFFECTS=1]="NO_SIDE_EFFECTS",t[t.IDEMPOTENT=2]="IDEMPOTENT"})(Dn||(Dn={}));var xa;(function(t){t[t.DEFAULT_SYMBOL_VISIBILITY_UNKNOWN=0]="DEFAULT_SYMBOL_VISIBILITY_UNKNOWN",t[t.EXPORT_ALL=1]="EXPORT_ALL",t[t.EXPORT_TOP_LEVEL=2]="EXPORT_TOP_LEVEL",t[t.LOCAL_ALL=3]="LOCAL_ALL",t[t.STRICT=4]="STRICT"})(xa||(xa={}));var Ia;(function(t){t[t.FIELD_PRESENCE_UNKNOWN=0]="FIELD_PRESENCE_UNKNOWN",t[t.EXPLICIT=1]="EXPLICIT",t[t.IMPLICIT=2]="IMPLICIT",t[t.LEGACY_REQUIRED=3]="LEGACY_REQUIRED"})(Ia||(Ia={}));var Aa;(function(t){t[t.ENUM_TYPE_UNKNOWN=0]="ENUM_TYPE_UNKNOWN",t[t.OPEN=1]="OPEN",t[t.CLOSED=2]="CLOSED"})(Aa||(Aa={}));var Na;(function(t){t[t.REPEATED_FIELD_ENCODING_UNKNOWN=0]="REPEATED_FIELD_ENCODING_UNKNOWN",t[t.PACKED=1]="PACKED",t[t.EXPANDED=2]="EXPANDED"})(Na||(Na={}));var Ra;(function(t){t[t.UTF8_VALIDATION_UNKNOWN=0]="UTF8_VALIDATION_UNKNOWN",t[t.VERIFY=2]="VERIFY",t[t.NONE=3]="NONE"})(Ra||(Ra={}));var ka;(function(t){t[t.MESSAGE_ENCODING_UNKNOWN=0]="MESSAGE_ENCODING_UNKNOWN",t[t.LENGTH_PREFIXED=1]="LENGTH_PREFIXED",t[t.DELIMITED=2]="DELIMITED"})(ka||(ka={}));var Ta;(function(t){t[t.JSON_FORMAT_UNKNOWN=0]="JSON_FORMAT_UNKNOWN",t[t.ALLOW=1]="ALLOW",t[t.LEGACY_BEST_EFFORT=2]="LEGACY_BEST_EFFORT"})(Ta||(Ta={}));var Ca;(function(t){t[t.ENFORCE_NAMING_STYLE_UNKNOWN=0]="ENFORCE_NAMING_STYLE_UNKNOWN",t[t.STYLE2024=1]="STYLE2024",t[t.STYLE_LEGACY=2]="STYLE_LEGACY"})(Ca||(Ca={}));var La;(function(t){t[t.NONE=0]="NONE",t[t.SET=1]="SET",t[t.ALIAS=2]="ALIAS"})(La||(La={}));var _a;(function(t){t[t.EDITION_UNKNOWN=0]="EDITION_UNKNOWN",t[t.EDITION_LEGACY=900]="EDITION_LEGACY",t[t.EDITION_PROTO2=998]="EDITION_PROTO2",t[t.EDITION_PROTO3=999]="EDITION_PROTO3",t[t.EDITION_2023=1e3]="EDITION_2023",t[t.EDITION_2024=1001]="EDITION_2024",t[t.EDITION_1_TEST_ONLY=1]="EDITION_1_TEST_ONLY",t[t.EDITION_2_TEST_ONLY=2]="EDITION_2_TEST_ONLY",t[t.EDITION_99997_TEST_ONLY=99997]="EDITION_99997_TEST_ONLY",t[t.EDITION_99998_TEST_ONLY=99998]="EDITION_99998_TEST_ONLY",t[t.EDITION_99999_TEST_ONLY=99999]="EDITION_99999_TEST_ONLY",t[t.EDITION_MAX=2147483647]="EDITION_MAX"})(_a||(_a={}));var $a;(function(t){t[t.VISIBILITY_UNSET=0]="VISIBILITY_UNSET",t[t.VISIBILITY_LOCAL=1]="VISIBILITY_LOCAL",t[t.VISIBILITY_EXPORT=2]="VISIBILITY_EXPORT"})($a||($a={}));var Ja={readUnknownFields:!0};function rp(t){return t?Object.assign(Object.assign({},Ja),t):Ja}function ve(t,e,n){let r=G(t,void 0,!1);return Ga(r,new Ye(e),rp(n),!1,e.byteLength),r.message}function Ga(t,e,n,r,o){var s;let i=r?e.len:e.pos+o,a,l,c=(s=t.getUnknown())!==null&&s!==void 0?s:[];for(;e.pos<i&&([a,l]=e.tag(),!(r&&l==_.EndGroup));){let d=t.findNumber(a);if(!d){let m=e.skip(l,a);n.readUnknownFields&&c.push({no:a,wireType:l,data:m});continue}ts(t,e,d,l,n)}if(r&&(l!=_.EndGroup||a!==o))throw new Error("invalid end group tag");c.length>0&&t.setUnknown(c)}function ts(t,e,n,r,o){var s;switch(n.fieldKind){case"scalar":t.set(n,at(e,n.scalar));break;case"enum":let i=at(e,u.INT32);if(n.enum.open)t.set(n,i);else if(n.enum.values.some(l=>l.number===i))t.set(n,i);else if(o.readUnknownFields){let l=new Ce().int32(i).finish(),c=(s=t.getUnknown())!==null&&s!==void 0?s:[];c.push({no:n.number,wireType:r,data:l}),t.setUnknown(c)}break;case"message":t.set(n,ns(e,o,n,t.get(n)));break;case"list":sp(e,r,t.get(n),o);break;case"map":op(e,t.get(n),o);break}}function op(t,e,n){let r=e.field(),o,s,i=t.uint32(),a=t.pos+i;for(;t.pos<a;){let[l]=t.tag();switch(l){case 1:o=at(t,r.mapKey);break;case 2:switch(r.mapKind){case"scalar":s=at(t,r.scalar);break;case"enum":s=t.int32();break;case"message":s=ns(t,n,r);break}break}}if(o===void 0&&(o=ee(r.mapKey,!1)),s===void 0)switch(r.mapKind){case"scalar":s=ee(r.scalar,!1);break;case"enum":s=r.enum.values[0].number;break;case"message":s=G(r.message,void 0,!1);break}e.set(o,s)}function sp(t,e,n,r){var o;let s=n.field();if(s.listKind==="message"){n.add(ns(t,r,s));return}let i=(o=s.scalar)!==null&&o!==void 0?o:u.INT32;if(!(e==_.LengthDelimited&&i!=u.STRING&&i!=u.BYTES)){n.add(at(t,i));return}let l=t.uint32()+t.pos;for(;t.pos<l;)n.add(at(t,i))}function ns(t,e,n,r){let o=n.delimitedEncoding,s=r??G(n.message,void 0,!1);return Ga(s,t,e,o,o?n.number:t.uint32()),s}function at(t,e){switch(e){case u.STRING:return t.string();case u.BOOL:return t.bool();case u.DOUBLE:return t.double();case u.FLOAT:return t.float();case u.INT32:return t.int32();case u.INT64:return t.int64();case u.UINT64:return t.uint64();case u.FIXED64:return t.fixed64();case u.BYTES:return t.bytes();case u.FIXED32:return t.fixed32();case u.SFIXED32:return t.sfixed32();case u.SFIXED64:return t.sfixed64();case u.SINT64:return t.sint64();case u.UINT32:return t.uint32();case u.SINT32:return t.sint32()}}function B(t,e){var n;let r=ve(Ma,it(t));return r.messageType.forEach(Jt),r.dependency=(n=e?.map(s=>s.proto.name))!==null&&n!==void 0?n:[],Cn(r,s=>e?.find(i=>i.proto.name===s)).getFile(r.name)}function Fn(t,e,...n){if(n.length>0)throw new Error;return t.services[e]}var Le=B("Ch9nb29nbGUvcHJvdG9idWYvdGltZXN0YW1wLnByb3RvEg9nb29nbGUucHJvdG9idWYiKwoJVGltZXN0YW1wEg8KB3NlY29uZHMYASABKAMSDQoFbmFub3MYAiABKAVChQEKE2NvbS5nb29nbGUucHJvdG9idWZCDlRpbWVzdGFtcFByb3RvUAFaMmdvb2dsZS5nb2xhbmcub3JnL3Byb3RvYnVmL3R5cGVzL2tub3duL3RpbWVzdGFtcHBi+AEBogIDR1BCqgIeR29vZ2xlLlByb3RvYnVmLldlbGxLbm93blR5cGVzYgZwcm90bzM");var rs=B("Chlnb29nbGUvcHJvdG9idWYvYW55LnByb3RvEg9nb29nbGUucHJvdG9idWYiJgoDQW55EhAKCHR5cGVfdXJsGAEgASgJEg0KBXZhbHVlGAIgASgMQnYKE2NvbS5nb29nbGUucHJvdG9idWZCCEFueVByb3RvUAFaLGdvb2dsZS5nb2xhbmcub3JnL3Byb3RvYnVmL3R5cGVzL2tub3duL2FueXBiogIDR1BCqgIeR29vZ2xlLlByb3RvYnVmLldlbGxLbm93blR5cGVzYgZwcm90bzM"),Ua=k(rs,0);function Oa(t,e,n){let r=!1;return n||(n=I(Ua),r=!0),n.value=Yt(t,e),n.typeUrl=lp(e.$typeName),r?n:void 0}function ap(t,e){if(t.typeUrl==="")return!1;let n=typeof e=="string"?e:e.typeName,r=Da(t.typeUrl);return n===r}function Zt(t,e){if(t.typeUrl==="")return;let n=e.kind=="message"?e:e.getMessage(Da(t.typeUrl));if(!(!n||!ap(t,n)))return ve(n,t.value)}function lp(t){return`type.googleapis.com/${t}`}function Da(t){let e=t.lastIndexOf("/"),n=e>=0?t.substring(e+1):t;if(!n.length)throw new Error(`invalid type url: ${t}`);return n}var Ee=B("Ch5nb29nbGUvcHJvdG9idWYvZHVyYXRpb24ucHJvdG8SD2dvb2dsZS5wcm90b2J1ZiIqCghEdXJhdGlvbhIPCgdzZWNvbmRzGAEgASgDEg0KBW5hbm9zGAIgASgFQoMBChNjb20uZ29vZ2xlLnByb3RvYnVmQg1EdXJhdGlvblByb3RvUAFaMWdvb2dsZS5nb2xhbmcub3JnL3Byb3RvYnVmL3R5cGVzL2tub3duL2R1cmF0aW9ucGL4AQGiAgNHUEKqAh5Hb29nbGUuUHJvdG9idWYuV2VsbEtub3duVHlwZXNiBnByb3RvMw"),Fa=k(Ee,0);var we=B("Chxnb29nbGUvcHJvdG9idWYvc3RydWN0LnByb3RvEg9nb29nbGUucHJvdG9idWYihAEKBlN0cnVjdBIzCgZmaWVsZHMYASADKAsyIy5nb29nbGUucHJvdG9idWYuU3RydWN0LkZpZWxkc0VudHJ5GkUKC0ZpZWxkc0VudHJ5EgsKA2tleRgBIAEoCRIlCgV2YWx1ZRgCIAEoCzIWLmdvb2dsZS5wcm90b2J1Zi5WYWx1ZToCOAEi6gEKBVZhbHVlEjAKCm51bGxfdmFsdWUYASABKA4yGi5nb29nbGUucHJvdG9idWYuTnVsbFZhbHVlSAASFgoMbnVtYmVyX3ZhbHVlGAIgASgBSAASFgoMc3RyaW5nX3ZhbHVlGAMgASgJSAASFAoKYm9vbF92YWx1ZRgEIAEoCEgAEi8KDHN0cnVjdF92YWx1ZRgFIAEoCzIXLmdvb2dsZS5wcm90b2J1Zi5TdHJ1Y3RIABIwCgpsaXN0X3ZhbHVlGAYgASgLMhouZ29vZ2xlLnByb3RvYnVmLkxpc3RWYWx1ZUgAQgYKBGtpbmQiMwoJTGlzdFZhbHVlEiYKBnZhbHVlcxgBIAMoCzIWLmdvb2dsZS5wcm90b2J1Zi5WYWx1ZSobCglOdWxsVmFsdWUSDgoKTlVMTF9WQUxVRRAAQn8KE2NvbS5nb29nbGUucHJvdG9idWZCC1N0cnVjdFByb3RvUAFaL2dvb2dsZS5nb2xhbmcub3JnL3Byb3RvYnVmL3R5cGVzL2tub3duL3N0cnVjdHBi+AEBogIDR1BCqgIeR29vZ2xlLlByb3RvYnVmLldlbGxLbm93blR5cGVzYgZwcm90bzM"),Ba=k(we,0),os=k(we,1),Va=k(we,2),Bn;(function(t){t[t.NULL_VALUE=0]="NULL_VALUE"})(Bn||(Bn={}));var Se=B("ChVtaWxlcG9zdC92MS9qb2IucHJvdG8SC21pbGVwb3N0LnYxIpQLCgNKb2ISDgoGam9iX2lkGAEgASgJEgwKBGtpbmQYAiABKAkSDQoFb3duZXIYAyABKAkSLAoGbGFiZWxzGAQgAygLMhwubWlsZXBvc3QudjEuSm9iLkxhYmVsc0VudHJ5EhUKDXBhcmVudF9qb2JfaWQYBSABKAkSJAoFc3RhdGUYBiABKA4yFS5taWxlcG9zdC52MS5Kb2JTdGF0ZRIiCgZzdGFnZXMYByADKAsyEi5taWxlcG9zdC52MS5TdGFnZRIQCghmcmFjdGlvbhgIIAEoARIPCgdtZXNzYWdlGAkgASgJEiYKBWlucHV0GAogASgLMhcuZ29vZ2xlLnByb3RvYnVmLlN0cnVjdBInCgZyZXN1bHQYCyABKAsyFy5nb29nbGUucHJvdG9idWYuU3RydWN0EigKCWFydGlmYWN0cxgMIAMoCzIVLm1pbGVwb3N0LnYxLkFydGlmYWN0EiUKB2ZhaWx1cmUYDSABKAsyFC5taWxlcG9zdC52MS5GYWlsdXJlEi8KDGNhbmNlbGxhdGlvbhgOIAEoCzIZLm1pbGVwb3N0LnYxLkNhbmNlbGxhdGlvbhIPCgdhdHRlbXB0GA8gASgFEi4KDHJldHJ5X3BvbGljeRgQIAEoCzIYLm1pbGVwb3N0LnYxLlJldHJ5UG9saWN5EioKB3RpbWVvdXQYESABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SEAoId29ya2xvYWQYEiABKAESFQoNd29ya2xvYWRfdW5pdBgTIAEoCRInCghlc3RpbWF0ZRgUIAEoCzIVLm1pbGVwb3N0LnYxLkVzdGltYXRlEg0KBWVwb2NoGBUgASgJEhYKDmZpcnN0X3NlcXVlbmNlGBYgASgDEhUKDWxhc3Rfc2VxdWVuY2UYFyABKAMSLwoLc3VibWl0X3RpbWUYGCABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wEi4KCnN0YXJ0X3RpbWUYGSABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wEiwKCGVuZF90aW1lGBogASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcBIRCgl3b3JrZXJfaWQYGyABKAkSJwoIZGlzcGF0Y2gYHCABKA4yFS5taWxlcG9zdC52MS5EaXNwYXRjaBIXCg9mYWlsZWRfYXR0ZW1wdHMYHSABKAUSLgoKcmV0cnlfdGltZRgeIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5UaW1lc3RhbXASKQoJcmV0ZW50aW9uGB8gASgLMhYubWlsZXBvc3QudjEuUmV0ZW50aW9uEhgKEHRoaW5uZWRfc2VxdWVuY2UYICABKAMSEAoIcHJpb3JpdHkYISABKAUSFwoPY29uY3VycmVuY3lfa2V5GCIgASgJEhkKEWNvbmN1cnJlbmN5X2xpbWl0GCMgASgFEjEKDnN0YXJ0X2RlYWRsaW5lGCQgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uEjIKD2F0dGVtcHRfdGltZW91dBglIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhI0ChBmaXJzdF9zdGFydF90aW1lGCYgASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcBIXCg93b3JrZXJfaW5zdGFuY2UYJyABKAkSFgoOZnJhY3Rpb25fa25vd24YKCABKAgSGAoQcGxhbm5lZF9jaGlsZHJlbhgpIAEoBRIUCgxzdWJtaXR0ZWRfYnkYKiABKAkSEgoKaW5wdXRfc2l6ZRgrIAEoBRotCgtMYWJlbHNFbnRyeRILCgNrZXkYASABKAkSDQoFdmFsdWUYAiABKAk6AjgBIpcDCgVTdGFnZRIQCghzdGFnZV9pZBgBIAEoCRIXCg9wYXJlbnRfc3RhZ2VfaWQYAiABKAkSDQoFdGl0bGUYAyABKAkSEwoGd2VpZ2h0GAQgASgBSACIAQESJgoFc3RhdGUYBSABKA4yFy5taWxlcG9zdC52MS5TdGFnZVN0YXRlEg8KB2N1cnJlbnQYBiABKAESEgoFdG90YWwYByABKAFIAYgBARIMCgR1bml0GAggASgJEg8KB21lc3NhZ2UYCSABKAkSEAoIZnJhY3Rpb24YCiABKAESJQoHZmFpbHVyZRgLIAEoCzIULm1pbGVwb3N0LnYxLkZhaWx1cmUSLgoKc3RhcnRfdGltZRgMIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5UaW1lc3RhbXASLAoIZW5kX3RpbWUYDSABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wEg8KB3BsYW5uZWQYDiABKAgSFgoOZnJhY3Rpb25fa25vd24YDyABKAhCCQoHX3dlaWdodEIICgZfdG90YWwiSwoHRmFpbHVyZRIMCgRjb2RlGAEgASgJEg8KB21lc3NhZ2UYAiABKAkSDgoGZGV0YWlsGAMgASgJEhEKCXJldHJ5YWJsZRgEIAEoCCLaAQoMQ2FuY2VsbGF0aW9uEg4KBnJlYXNvbhgBIAEoCRIUCgxyZXF1ZXN0ZWRfYnkYAiABKAkSMAoMcmVxdWVzdF90aW1lGAMgASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcBIsCghkZWFkbGluZRgEIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5UaW1lc3RhbXASNAoQYWNrbm93bGVkZ2VfdGltZRgFIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5UaW1lc3RhbXASDgoGZm9yY2VkGAYgASgIIm8KCEFydGlmYWN0EgwKBG5hbWUYASABKAkSCwoDdXJpGAIgASgJEhIKCm1lZGlhX3R5cGUYAyABKAkSEgoKc2l6ZV9ieXRlcxgEIAEoAxIOCgZzaGEyNTYYBSABKAkSEAoIc3RhZ2VfaWQYBiABKAkiyQEKC1JldHJ5UG9saWN5EhQKDG1heF9hdHRlbXB0cxgBIAEoBRIyCg9pbml0aWFsX2JhY2tvZmYYAiABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SLgoLbWF4X2JhY2tvZmYYAyABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SEgoKbXVsdGlwbGllchgEIAEoARIXCg9yZXRyeWFibGVfY29kZXMYBSADKAkSEwoLZmluYWxfY29kZXMYBiADKAkifAoJUmV0ZW50aW9uEi4KC2tlZXBfZXZlbnRzGAEgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uEisKCGtlZXBfam9iGAIgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uEhIKCm1heF9ldmVudHMYAyABKAMi6gEKCEVzdGltYXRlEjAKDXJlbWFpbmluZ19wNTAYASABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SMAoNcmVtYWluaW5nX3A5MBgCIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhIpCgViYXNpcxgDIAEoDjIaLm1pbGVwb3N0LnYxLkVzdGltYXRlQmFzaXMSEwoLc2FtcGxlX3NpemUYBCABKAUSKQoFYXNfb2YYBSABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wEg8KB292ZXJkdWUYBiABKAgqyAEKCEpvYlN0YXRlEhkKFUpPQl9TVEFURV9VTlNQRUNJRklFRBAAEhQKEEpPQl9TVEFURV9RVUVVRUQQARIVChFKT0JfU1RBVEVfUlVOTklORxACEhgKFEpPQl9TVEFURV9DQU5DRUxMSU5HEAMSFwoTSk9CX1NUQVRFX1NVQ0NFRURFRBAEEhQKEEpPQl9TVEFURV9GQUlMRUQQBRIXChNKT0JfU1RBVEVfQ0FOQ0VMTEVEEAYSEgoOSk9CX1NUQVRFX0xPU1QQBypPCghEaXNwYXRjaBIYChRESVNQQVRDSF9VTlNQRUNJRklFRBAAEhIKDkRJU1BBVENIX1FVRVVFEAESFQoRRElTUEFUQ0hfRVhURVJOQUwQAirCAQoKU3RhZ2VTdGF0ZRIbChdTVEFHRV9TVEFURV9VTlNQRUNJRklFRBAAEhcKE1NUQUdFX1NUQVRFX1BFTkRJTkcQARIXChNTVEFHRV9TVEFURV9SVU5OSU5HEAISGQoVU1RBR0VfU1RBVEVfU1VDQ0VFREVEEAMSFgoSU1RBR0VfU1RBVEVfRkFJTEVEEAQSFwoTU1RBR0VfU1RBVEVfU0tJUFBFRBAFEhkKFVNUQUdFX1NUQVRFX0NBTkNFTExFRBAGKoEBCg1Fc3RpbWF0ZUJhc2lzEh4KGkVTVElNQVRFX0JBU0lTX1VOU1BFQ0lGSUVEEAASGgoWRVNUSU1BVEVfQkFTSVNfSElTVE9SWRABEhsKF0VTVElNQVRFX0JBU0lTX1dPUktMT0FEEAISFwoTRVNUSU1BVEVfQkFTSVNfUEFDRRADYgZwcm90bzM",[Ee,we,Le]),Kt=k(Se,0),Vn=k(Se,1),Pa=k(Se,2),ss=k(Se,3);var Ya=k(Se,7);var cp=B("Ch9taWxlcG9zdC92MS9hZG1pbl9zZXJ2aWNlLnByb3RvEgttaWxlcG9zdC52MSIRCg9HZXRTdGF0c1JlcXVlc3QiQwoQR2V0U3RhdHNSZXNwb25zZRIvCgpldmVudF9sb29wGAEgASgLMhsubWlsZXBvc3QudjEuRXZlbnRMb29wU3RhdHMiuQEKDkV2ZW50TG9vcFN0YXRzEg4KBnBhc3NlcxgBIAEoAxITCgtoZWxkX3Bhc3NlcxgCIAEoAxImCgNwOTkYAyABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SKgoHbG9uZ2VzdBgEIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhIuCgtsb25nZXN0X2NwdRgFIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbiIPCg1CYWNrVXBSZXF1ZXN0ImcKDkJhY2tVcFJlc3BvbnNlEisKBmhlYWRlchgBIAEoCzIZLm1pbGVwb3N0LnYxLkJhY2t1cEhlYWRlckgAEg4KBGRhdGEYAiABKAxIABIQCgZzaGEyNTYYAyABKAxIAEIGCgRwYXJ0IkgKDEJhY2t1cEhlYWRlchISCgpzaXplX2J5dGVzGAEgASgDEg0KBWVwb2NoGAIgASgJEhUKDWxhc3RfcG9zaXRpb24YAyABKAMiSQoSTGlzdFdvcmtlcnNSZXF1ZXN0EgwKBGtpbmQYASABKAkSEQoJcGFnZV9zaXplGAIgASgFEhIKCnBhZ2VfdG9rZW4YAyABKAkiXQoTTGlzdFdvcmtlcnNSZXNwb25zZRItCgd3b3JrZXJzGAEgAygLMhwubWlsZXBvc3QudjEuQ29ubmVjdGVkV29ya2VyEhcKD25leHRfcGFnZV90b2tlbhgCIAEoCSLOAgoPQ29ubmVjdGVkV29ya2VyEhEKCXdvcmtlcl9pZBgBIAEoCRISCgpzZXNzaW9uX2lkGAIgASgJEhAKCGluc3RhbmNlGAMgASgJEgwKBHBlZXIYBCABKAkSDAoEbm9kZRgFIAEoCRILCgNzZGsYBiABKAkSDQoFa2luZHMYByADKAkSFwoPbWF4X2NvbmN1cnJlbmN5GAggASgFEhEKCWpvYl9jb3VudBgJIAEoBRIPCgdqb2JfaWRzGAogAygJEjAKDGNvbm5lY3RfdGltZRgLIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5UaW1lc3RhbXASMwoPbGFzdF9oZWFyZF90aW1lGAwgASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcBIOCgZvd25lcnMYDSADKAkSFgoOb3duZXJzX2xpbWl0ZWQYDiABKAgy7gEKDEFkbWluU2VydmljZRJQCgtMaXN0V29ya2VycxIfLm1pbGVwb3N0LnYxLkxpc3RXb3JrZXJzUmVxdWVzdBogLm1pbGVwb3N0LnYxLkxpc3RXb3JrZXJzUmVzcG9uc2USQwoGQmFja1VwEhoubWlsZXBvc3QudjEuQmFja1VwUmVxdWVzdBobLm1pbGVwb3N0LnYxLkJhY2tVcFJlc3BvbnNlMAESRwoIR2V0U3RhdHMSHC5taWxlcG9zdC52MS5HZXRTdGF0c1JlcXVlc3QaHS5taWxlcG9zdC52MS5HZXRTdGF0c1Jlc3BvbnNlYgZwcm90bzM",[Ee,Le]);var Za=Fn(cp,0);var Ka=B("ChdtaWxlcG9zdC92MS9ldmVudC5wcm90bxILbWlsZXBvc3QudjEizgYKBUV2ZW50Eg4KBmpvYl9pZBgBIAEoCRIQCghzZXF1ZW5jZRgCIAEoAxIoCgR0aW1lGAMgASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcBIPCgdhdHRlbXB0GAQgASgFEjIKDWpvYl9zdWJtaXR0ZWQYBSABKAsyGS5taWxlcG9zdC52MS5Kb2JTdWJtaXR0ZWRIABIuCgtqb2Jfc3RhcnRlZBgGIAEoCzIXLm1pbGVwb3N0LnYxLkpvYlN0YXJ0ZWRIABI0Cg5zdGFnZXNfcGxhbm5lZBgHIAEoCzIaLm1pbGVwb3N0LnYxLlN0YWdlc1BsYW5uZWRIABIyCg1zdGFnZV9zdGFydGVkGAggASgLMhkubWlsZXBvc3QudjEuU3RhZ2VTdGFydGVkSAASOAoQc3RhZ2VfcHJvZ3Jlc3NlZBgJIAEoCzIcLm1pbGVwb3N0LnYxLlN0YWdlUHJvZ3Jlc3NlZEgAEi4KC3N0YWdlX2VuZGVkGAogASgLMhcubWlsZXBvc3QudjEuU3RhZ2VFbmRlZEgAEi4KC2xvZ193cml0dGVuGAsgASgLMhcubWlsZXBvc3QudjEuTG9nV3JpdHRlbkgAEjQKDmFydGlmYWN0X2FkZGVkGAwgASgLMhoubWlsZXBvc3QudjEuQXJ0aWZhY3RBZGRlZEgAEiUKBmN1c3RvbRgNIAEoCzITLm1pbGVwb3N0LnYxLkN1c3RvbUgAEjgKEGNhbmNlbF9yZXF1ZXN0ZWQYDiABKAsyHC5taWxlcG9zdC52MS5DYW5jZWxSZXF1ZXN0ZWRIABI+ChNjYW5jZWxfYWNrbm93bGVkZ2VkGA8gASgLMh8ubWlsZXBvc3QudjEuQ2FuY2VsQWNrbm93bGVkZ2VkSAASMgoNYXR0ZW1wdF9lbmRlZBgQIAEoCzIZLm1pbGVwb3N0LnYxLkF0dGVtcHRFbmRlZEgAEioKCWpvYl9lbmRlZBgRIAEoCzIVLm1pbGVwb3N0LnYxLkpvYkVuZGVkSAASPgoTY2hpbGRyZW5fcHJvZ3Jlc3NlZBgSIAEoCzIfLm1pbGVwb3N0LnYxLkNoaWxkcmVuUHJvZ3Jlc3NlZEgAQgkKB3BheWxvYWQiQQoMSm9iU3VibWl0dGVkEh0KA2pvYhgBIAEoCzIQLm1pbGVwb3N0LnYxLkpvYhISCgpyZXF1ZXN0X2lkGAIgASgJIjEKCkpvYlN0YXJ0ZWQSEQoJd29ya2VyX2lkGAEgASgJEhAKCGluc3RhbmNlGAIgASgJIk0KDVN0YWdlc1BsYW5uZWQSIgoGc3RhZ2VzGAEgAygLMhIubWlsZXBvc3QudjEuU3RhZ2USGAoQcGxhbm5lZF9jaGlsZHJlbhgCIAEoBSIxCgxTdGFnZVN0YXJ0ZWQSIQoFc3RhZ2UYASABKAsyEi5taWxlcG9zdC52MS5TdGFnZSKZAQoPU3RhZ2VQcm9ncmVzc2VkEhAKCHN0YWdlX2lkGAEgASgJEg8KB2N1cnJlbnQYAiABKAESEgoFdG90YWwYAyABKAFIAIgBARIMCgR1bml0GAQgASgJEg8KB21lc3NhZ2UYBSABKAkSEAoIZnJhY3Rpb24YBiABKAESFAoMam9iX2ZyYWN0aW9uGAcgASgBQggKBl90b3RhbCKUAQoKU3RhZ2VFbmRlZBIQCghzdGFnZV9pZBgBIAEoCRImCgVzdGF0ZRgCIAEoDjIXLm1pbGVwb3N0LnYxLlN0YWdlU3RhdGUSDwoHbWVzc2FnZRgDIAEoCRIlCgdmYWlsdXJlGAQgASgLMhQubWlsZXBvc3QudjEuRmFpbHVyZRIUCgxqb2JfZnJhY3Rpb24YBSABKAEifgoKTG9nV3JpdHRlbhIQCghzdGFnZV9pZBgBIAEoCRInCghzZXZlcml0eRgCIAEoDjIVLm1pbGVwb3N0LnYxLlNldmVyaXR5EgwKBHRleHQYAyABKAkSJwoGZmllbGRzGAQgASgLMhcuZ29vZ2xlLnByb3RvYnVmLlN0cnVjdCI4Cg1BcnRpZmFjdEFkZGVkEicKCGFydGlmYWN0GAEgASgLMhUubWlsZXBvc3QudjEuQXJ0aWZhY3QibgoGQ3VzdG9tEgwKBHR5cGUYASABKAkSJwoEanNvbhgCIAEoCzIXLmdvb2dsZS5wcm90b2J1Zi5TdHJ1Y3RIABIlCgVwcm90bxgDIAEoCzIULmdvb2dsZS5wcm90b2J1Zi5BbnlIAEIGCgRkYXRhIkIKD0NhbmNlbFJlcXVlc3RlZBIvCgxjYW5jZWxsYXRpb24YASABKAsyGS5taWxlcG9zdC52MS5DYW5jZWxsYXRpb24iFAoSQ2FuY2VsQWNrbm93bGVkZ2VkImUKDEF0dGVtcHRFbmRlZBIlCgdmYWlsdXJlGAEgASgLMhQubWlsZXBvc3QudjEuRmFpbHVyZRIuCgpyZXRyeV90aW1lGAIgASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcCKhAQoISm9iRW5kZWQSJAoFc3RhdGUYASABKA4yFS5taWxlcG9zdC52MS5Kb2JTdGF0ZRInCgZyZXN1bHQYAiABKAsyFy5nb29nbGUucHJvdG9idWYuU3RydWN0EiUKB2ZhaWx1cmUYAyABKAsyFC5taWxlcG9zdC52MS5GYWlsdXJlEg8KB21lc3NhZ2UYBCABKAkSDgoGZm9yY2VkGAUgASgIIkgKEkNoaWxkcmVuUHJvZ3Jlc3NlZBINCgV0b3RhbBgBIAEoBRINCgVlbmRlZBgCIAEoBRIUCgxqb2JfZnJhY3Rpb24YAyABKAEqdQoIU2V2ZXJpdHkSGAoUU0VWRVJJVFlfVU5TUEVDSUZJRUQQABISCg5TRVZFUklUWV9ERUJVRxABEhEKDVNFVkVSSVRZX0lORk8QAhIUChBTRVZFUklUWV9XQVJOSU5HEAMSEgoOU0VWRVJJVFlfRVJST1IQBGIGcHJvdG8z",[rs,we,Le,Se]);var lt=B("Ch1taWxlcG9zdC92MS9qb2Jfc2VydmljZS5wcm90bxILbWlsZXBvc3QudjEiwAUKEFN1Ym1pdEpvYlJlcXVlc3QSDgoGam9iX2lkGAEgASgJEhIKCnJlcXVlc3RfaWQYAiABKAkSDAoEa2luZBgDIAEoCRINCgVvd25lchgEIAEoCRI5CgZsYWJlbHMYBSADKAsyKS5taWxlcG9zdC52MS5TdWJtaXRKb2JSZXF1ZXN0LkxhYmVsc0VudHJ5EhUKDXBhcmVudF9qb2JfaWQYBiABKAkSJgoFaW5wdXQYByABKAsyFy5nb29nbGUucHJvdG9idWYuU3RydWN0EiIKBnN0YWdlcxgIIAMoCzISLm1pbGVwb3N0LnYxLlN0YWdlEhAKCHdvcmtsb2FkGAkgASgBEhUKDXdvcmtsb2FkX3VuaXQYCiABKAkSKgoHdGltZW91dBgLIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhIuCgxyZXRyeV9wb2xpY3kYDCABKAsyGC5taWxlcG9zdC52MS5SZXRyeVBvbGljeRInCghkaXNwYXRjaBgNIAEoDjIVLm1pbGVwb3N0LnYxLkRpc3BhdGNoEikKCXJldGVudGlvbhgOIAEoCzIWLm1pbGVwb3N0LnYxLlJldGVudGlvbhIQCghwcmlvcml0eRgPIAEoBRIXCg9jb25jdXJyZW5jeV9rZXkYECABKAkSGQoRY29uY3VycmVuY3lfbGltaXQYESABKAUSMQoOc3RhcnRfZGVhZGxpbmUYEiABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SMgoPYXR0ZW1wdF90aW1lb3V0GBMgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uEhgKEHBsYW5uZWRfY2hpbGRyZW4YFCABKAUaLQoLTGFiZWxzRW50cnkSCwoDa2V5GAEgASgJEg0KBXZhbHVlGAIgASgJOgI4ASIyChFTdWJtaXRKb2JSZXNwb25zZRIdCgNqb2IYASABKAsyEC5taWxlcG9zdC52MS5Kb2IiHwoNR2V0Sm9iUmVxdWVzdBIOCgZqb2JfaWQYASABKAkiVgoOR2V0Sm9iUmVzcG9uc2USHQoDam9iGAEgASgLMhAubWlsZXBvc3QudjEuSm9iEiUKB3dhaXRpbmcYAiABKAsyFC5taWxlcG9zdC52MS5XYWl0aW5nIokCCgdXYWl0aW5nEiwKC3dhaXRpbmdfZm9yGAEgASgOMhcubWlsZXBvc3QudjEuV2FpdGluZ0ZvchIPCgd3b3JrZXJzGAIgASgFEhUKDW5lYXJlc3Rfa2luZHMYAyADKAkSIgoDcnVuGAQgASgLMhUubWlsZXBvc3QudjEuRXN0aW1hdGUSLAoJc3RhcnRfcDUwGAUgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uEiwKCXN0YXJ0X3A5MBgGIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhISCgpqb2JzX2FoZWFkGAcgASgFEhQKDGpvYnNfd2FpdGluZxgIIAEoBSLbAQoJSm9iRmlsdGVyEg0KBW93bmVyGAEgASgJEg0KBWtpbmRzGAIgAygJEjIKBmxhYmVscxgDIAMoCzIiLm1pbGVwb3N0LnYxLkpvYkZpbHRlci5MYWJlbHNFbnRyeRIVCg1wYXJlbnRfam9iX2lkGAQgASgJEg8KB2pvYl9pZHMYBSADKAkSJQoGc3RhdGVzGAYgAygOMhUubWlsZXBvc3QudjEuSm9iU3RhdGUaLQoLTGFiZWxzRW50cnkSCwoDa2V5GAEgASgJEg0KBXZhbHVlGAIgASgJOgI4ASKIAQoPTGlzdEpvYnNSZXF1ZXN0EiYKBmZpbHRlchgBIAEoCzIWLm1pbGVwb3N0LnYxLkpvYkZpbHRlchIRCglwYWdlX3NpemUYAiABKAUSEgoKcGFnZV90b2tlbhgDIAEoCRIQCghvcmRlcl9ieRgEIAEoCRIUCgx3YWl0aW5nX29ubHkYBSABKAgidQoQTGlzdEpvYnNSZXNwb25zZRIeCgRqb2JzGAEgAygLMhAubWlsZXBvc3QudjEuSm9iEhcKD25leHRfcGFnZV90b2tlbhgCIAEoCRIoCgd3YWl0aW5nGAMgAygLMhcubWlsZXBvc3QudjEuSm9iV2FpdGluZyJDCgpKb2JXYWl0aW5nEg4KBmpvYl9pZBgBIAEoCRIlCgd3YWl0aW5nGAIgASgLMhQubWlsZXBvc3QudjEuV2FpdGluZyJ3ChBDYW5jZWxKb2JSZXF1ZXN0Eg4KBmpvYl9pZBgBIAEoCRIOCgZyZWFzb24YAiABKAkSEgoKcmVxdWVzdF9pZBgDIAEoCRIvCgxncmFjZV9wZXJpb2QYBCABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24iMgoRQ2FuY2VsSm9iUmVzcG9uc2USHQoDam9iGAEgASgLMhAubWlsZXBvc3QudjEuSm9iIiIKEERlbGV0ZUpvYlJlcXVlc3QSDgoGam9iX2lkGAEgASgJIhMKEURlbGV0ZUpvYlJlc3BvbnNlIjIKC0V2ZW50RmlsdGVyEhAKCHBheWxvYWRzGAEgAygJEhEKCXN0YWdlX2lkcxgCIAMoCSLbAgoPV2F0Y2hKb2JSZXF1ZXN0Eg4KBmpvYl9pZBgBIAEoCRIYCg5hZnRlcl9zZXF1ZW5jZRgCIAEoA0gAEhcKDWZyb21fc25hcHNob3QYAyABKAhIABIVCgtmcm9tX2xhdGVzdBgEIAEoCEgAEg0KBWVwb2NoGAUgASgJEiIKBm9uX2dhcBgGIAEoDjISLm1pbGVwb3N0LnYxLk9uR2FwEigKBmZpbHRlchgHIAEoCzIYLm1pbGVwb3N0LnYxLkV2ZW50RmlsdGVyEicKCGRlbGl2ZXJ5GAggASgOMhUubWlsZXBvc3QudjEuRGVsaXZlcnkSEQoJbm9fZm9sbG93GAkgASgIEjIKD3N0YXR1c19pbnRlcnZhbBgKIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhIYChBtYXhfYmF0Y2hfZXZlbnRzGAsgASgFQgcKBXN0YXJ0IucBChBXYXRjaEpvYlJlc3BvbnNlEiUKBm9wZW5lZBgBIAEoCzITLm1pbGVwb3N0LnYxLk9wZW5lZEgAEikKCHNuYXBzaG90GAIgASgLMhUubWlsZXBvc3QudjEuU25hcHNob3RIABIlCgZldmVudHMYAyABKAsyEy5taWxlcG9zdC52MS5FdmVudHNIABIqCgljYXVnaHRfdXAYBCABKAsyFS5taWxlcG9zdC52MS5DYXVnaHRVcEgAEiUKBnN0YXR1cxgFIAEoCzITLm1pbGVwb3N0LnYxLlN0YXR1c0gAQgcKBWZyYW1lIqEBCgZPcGVuZWQSDQoFZXBvY2gYASABKAkSFgoOZmlyc3Rfc2VxdWVuY2UYAiABKAMSFQoNaGVhZF9zZXF1ZW5jZRgDIAEoAxIOCgZjdXJzb3IYBCABKAMSLwoLc2VydmVyX3RpbWUYBSABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wEhgKEHRoaW5uZWRfc2VxdWVuY2UYBiABKAMiOwoIU25hcHNob3QSHQoDam9iGAEgASgLMhAubWlsZXBvc3QudjEuSm9iEhAKCHBvc2l0aW9uGAIgASgDIj4KBkV2ZW50cxIiCgZldmVudHMYASADKAsyEi5taWxlcG9zdC52MS5FdmVudBIQCghwb3NpdGlvbhgCIAEoAyIcCghDYXVnaHRVcBIQCghzZXF1ZW5jZRgBIAEoAyKfAgoGU3RhdHVzEg4KBmN1cnNvchgBIAEoAxIVCg1oZWFkX3NlcXVlbmNlGAIgASgDEhAKCGZyYWN0aW9uGAMgASgBEicKCGVzdGltYXRlGAQgASgLMhUubWlsZXBvc3QudjEuRXN0aW1hdGUSLwoLc2VydmVyX3RpbWUYBSABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wEhIKCnN0b3JlX2F3YXkYBiABKAgSJQoHd2FpdGluZxgHIAEoCzIULm1pbGVwb3N0LnYxLldhaXRpbmcSFgoOZnJhY3Rpb25fa25vd24YCCABKAgSLwoNam9iX2VzdGltYXRlcxgJIAMoCzIYLm1pbGVwb3N0LnYxLkpvYkVzdGltYXRlIkYKC0pvYkVzdGltYXRlEg4KBmpvYl9pZBgBIAEoCRInCghlc3RpbWF0ZRgCIAEoCzIVLm1pbGVwb3N0LnYxLkVzdGltYXRlIvoCChBXYXRjaEpvYnNSZXF1ZXN0EiYKBmZpbHRlchgBIAEoCzIWLm1pbGVwb3N0LnYxLkpvYkZpbHRlchIYCg5hZnRlcl9wb3NpdGlvbhgCIAEoA0gAEhcKDWZyb21fc25hcHNob3QYAyABKAhIABIVCgtmcm9tX2xhdGVzdBgEIAEoCEgAEg0KBWVwb2NoGAUgASgJEiIKBm9uX2dhcBgGIAEoDjISLm1pbGVwb3N0LnYxLk9uR2FwEi4KDGV2ZW50X2ZpbHRlchgHIAEoCzIYLm1pbGVwb3N0LnYxLkV2ZW50RmlsdGVyEicKCGRlbGl2ZXJ5GAggASgOMhUubWlsZXBvc3QudjEuRGVsaXZlcnkSEQoJbm9fZm9sbG93GAkgASgIEjIKD3N0YXR1c19pbnRlcnZhbBgKIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhIYChBtYXhfYmF0Y2hfZXZlbnRzGAsgASgFQgcKBXN0YXJ0IroCChFXYXRjaEpvYnNSZXNwb25zZRIlCgZvcGVuZWQYASABKAsyEy5taWxlcG9zdC52MS5PcGVuZWRIABIpCghzbmFwc2hvdBgCIAEoCzIVLm1pbGVwb3N0LnYxLlNuYXBzaG90SAASJQoGZXZlbnRzGAMgASgLMhMubWlsZXBvc3QudjEuRXZlbnRzSAASKgoJY2F1Z2h0X3VwGAQgASgLMhUubWlsZXBvc3QudjEuQ2F1Z2h0VXBIABIlCgZzdGF0dXMYBSABKAsyEy5taWxlcG9zdC52MS5TdGF0dXNIABInCgdkZWxldGVkGAYgASgLMhQubWlsZXBvc3QudjEuRGVsZXRlZEgAEicKB3RyaW1tZWQYByABKAsyFC5taWxlcG9zdC52MS5UcmltbWVkSABCBwoFZnJhbWUiKwoHRGVsZXRlZBIOCgZqb2JfaWQYASABKAkSEAoIcG9zaXRpb24YAiABKAMiQwoHVHJpbW1lZBIOCgZqb2JfaWQYASABKAkSFgoOZmlyc3Rfc2VxdWVuY2UYAiABKAMSEAoIcG9zaXRpb24YAyABKAMiWQoPU2hhcmVKb2JSZXF1ZXN0Eg4KBmpvYl9pZBgBIAEoCRImCgN0dGwYAiABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SDgoGc2NvcGVzGAMgAygJIlIKEFNoYXJlSm9iUmVzcG9uc2USDQoFdG9rZW4YASABKAkSLwoLZXhwaXJlX3RpbWUYAiABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wIiUKE1Jldm9rZVNoYXJlc1JlcXVlc3QSDgoGam9iX2lkGAEgASgJIhYKFFJldm9rZVNoYXJlc1Jlc3BvbnNlIg8KDVdob0FtSVJlcXVlc3Qi6QEKDldob0FtSVJlc3BvbnNlEg8KB3N1YmplY3QYASABKAkSDgoGb3duZXJzGAIgAygJEhIKCmFsbF9vd25lcnMYAyABKAgSDgoGc2NvcGVzGAQgAygJEg0KBWtpbmRzGAUgAygJEg4KBmpvYl9pZBgGIAEoCRIvCgtleHBpcmVfdGltZRgHIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5UaW1lc3RhbXASFQoNY3JlZGVudGlhbF9pZBgIIAEoCRIrCgZsaW1pdHMYCSADKAsyGy5taWxlcG9zdC52MS5QcmluY2lwYWxMaW1pdCJMCg5QcmluY2lwYWxMaW1pdBIMCgRuYW1lGAEgASgJEg8KB21heGltdW0YAiABKAMSDAoEdXNlZBgDIAEoAxINCgVidXJzdBgEIAEoAyIwChFHZXRIaXN0b3J5UmVxdWVzdBIMCgRraW5kGAEgASgJEg0KBW93bmVyGAIgASgJIv4BChJHZXRIaXN0b3J5UmVzcG9uc2USDAoEcnVucxgBIAEoBRIvCgxkdXJhdGlvbl9wNTAYAiABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SLwoMZHVyYXRpb25fcDkwGAMgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uEikKBnN0YWdlcxgEIAMoCzIZLm1pbGVwb3N0LnYxLlN0YWdlSGlzdG9yeRIRCgllc3RpbWF0ZXMYBSABKAUSEAoIY292ZXJhZ2UYBiABKAESFAoMbWVkaWFuX2Vycm9yGAcgASgBEhIKCm1lYW5fZXJyb3IYCCABKAEiYAoMU3RhZ2VIaXN0b3J5EhAKCHN0YWdlX2lkGAEgASgJEi8KDGR1cmF0aW9uX3A1MBgCIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhINCgVzaGFyZRgDIAEoASqmAQoKV2FpdGluZ0ZvchIbChdXQUlUSU5HX0ZPUl9VTlNQRUNJRklFRBAAEhQKEFdBSVRJTkdfRk9SX1RVUk4QARIWChJXQUlUSU5HX0ZPUl9XT1JLRVIQAhIZChVXQUlUSU5HX0ZPUl9SRUNPTk5FQ1QQAxIVChFXQUlUSU5HX0ZPUl9DTEFJTRAEEhsKF1dBSVRJTkdfRk9SX0NPTkNVUlJFTkNZEAUqRQoFT25HYXASFgoST05fR0FQX1VOU1BFQ0lGSUVEEAASDwoLT05fR0FQX0ZBSUwQARITCg9PTl9HQVBfU05BUFNIT1QQAipLCghEZWxpdmVyeRIYChRERUxJVkVSWV9VTlNQRUNJRklFRBAAEhAKDERFTElWRVJZX0FMTBABEhMKD0RFTElWRVJZX0xBVEVTVBACMsUGCgpKb2JTZXJ2aWNlEkoKCVN1Ym1pdEpvYhIdLm1pbGVwb3N0LnYxLlN1Ym1pdEpvYlJlcXVlc3QaHi5taWxlcG9zdC52MS5TdWJtaXRKb2JSZXNwb25zZRJBCgZHZXRKb2ISGi5taWxlcG9zdC52MS5HZXRKb2JSZXF1ZXN0GhsubWlsZXBvc3QudjEuR2V0Sm9iUmVzcG9uc2USRwoITGlzdEpvYnMSHC5taWxlcG9zdC52MS5MaXN0Sm9ic1JlcXVlc3QaHS5taWxlcG9zdC52MS5MaXN0Sm9ic1Jlc3BvbnNlEkoKCUNhbmNlbEpvYhIdLm1pbGVwb3N0LnYxLkNhbmNlbEpvYlJlcXVlc3QaHi5taWxlcG9zdC52MS5DYW5jZWxKb2JSZXNwb25zZRJKCglEZWxldGVKb2ISHS5taWxlcG9zdC52MS5EZWxldGVKb2JSZXF1ZXN0Gh4ubWlsZXBvc3QudjEuRGVsZXRlSm9iUmVzcG9uc2USSQoIV2F0Y2hKb2ISHC5taWxlcG9zdC52MS5XYXRjaEpvYlJlcXVlc3QaHS5taWxlcG9zdC52MS5XYXRjaEpvYlJlc3BvbnNlMAESTAoJV2F0Y2hKb2JzEh0ubWlsZXBvc3QudjEuV2F0Y2hKb2JzUmVxdWVzdBoeLm1pbGVwb3N0LnYxLldhdGNoSm9ic1Jlc3BvbnNlMAESRwoIU2hhcmVKb2ISHC5taWxlcG9zdC52MS5TaGFyZUpvYlJlcXVlc3QaHS5taWxlcG9zdC52MS5TaGFyZUpvYlJlc3BvbnNlElMKDFJldm9rZVNoYXJlcxIgLm1pbGVwb3N0LnYxLlJldm9rZVNoYXJlc1JlcXVlc3QaIS5taWxlcG9zdC52MS5SZXZva2VTaGFyZXNSZXNwb25zZRJBCgZXaG9BbUkSGi5taWxlcG9zdC52MS5XaG9BbUlSZXF1ZXN0GhsubWlsZXBvc3QudjEuV2hvQW1JUmVzcG9uc2USTQoKR2V0SGlzdG9yeRIeLm1pbGVwb3N0LnYxLkdldEhpc3RvcnlSZXF1ZXN0Gh8ubWlsZXBvc3QudjEuR2V0SGlzdG9yeVJlc3BvbnNlYgZwcm90bzM",[Ee,we,Le,Ka,Se]);var Xa=k(lt,4),ja=k(lt,5);var Ha=k(lt,13),za=k(lt,14);var Qa=k(lt,22);var qa=Fn(lt,0);var w;(function(t){t[t.Canceled=1]="Canceled",t[t.Unknown=2]="Unknown",t[t.InvalidArgument=3]="InvalidArgument",t[t.DeadlineExceeded=4]="DeadlineExceeded",t[t.NotFound=5]="NotFound",t[t.AlreadyExists=6]="AlreadyExists",t[t.PermissionDenied=7]="PermissionDenied",t[t.ResourceExhausted=8]="ResourceExhausted",t[t.FailedPrecondition=9]="FailedPrecondition",t[t.Aborted=10]="Aborted",t[t.OutOfRange=11]="OutOfRange",t[t.Unimplemented=12]="Unimplemented",t[t.Internal=13]="Internal",t[t.Unavailable=14]="Unavailable",t[t.DataLoss=15]="DataLoss",t[t.Unauthenticated=16]="Unauthenticated"})(w||(w={}));function Xt(t,e){tl(e,t);let n=dp(t.$unknown,e),[r,o,s]=xe(e);for(let i of n)ts(r,new Ye(i.data),o,i.wireType,{readUnknownFields:!0});return s()}function el(t,e,n){var r;tl(e,t);let o=((r=t.$unknown)!==null&&r!==void 0?r:[]).filter(c=>c.no!==e.number),[s,i]=xe(e,n),a=new Ce;es(a,{writeUnknownFields:!0},s,i);let l=new Ye(a.finish());for(;l.pos<l.len;){let[c,d]=l.tag(),m=l.skip(d,c);o.push({no:c,wireType:d,data:m})}t.$unknown=o}function dp(t,e){if(t===void 0)return[];if(e.fieldKind==="enum"||e.fieldKind==="scalar"){for(let n=t.length-1;n>=0;--n)if(t[n].no==e.number)return[t[n]];return[]}return t.filter(n=>n.no===e.number)}function xe(t,e){let n=t.typeName,r=Object.assign(Object.assign({},t),{kind:"field",parent:t.extendee,localName:n}),o=Object.assign(Object.assign({},t.extendee),{fields:[r],members:[r],oneofs:[]}),s=I(o,e!==void 0?{[n]:e}:void 0);return[G(o,s),r,()=>{let i=s[n];if(i===void 0){let a=t.message;return le(a)?ee(a.fields[0].scalar,a.fields[0].longAsString):I(a)}return i}]}function tl(t,e){if(t.extendee.typeName!=e.$typeName)throw new Error(`extension ${t.typeName} can only be applied to message ${t.extendee.typeName}`)}function is(t,e,n,r){return e.$typeName!=t.typeName||n.$typeName!=t.typeName?!1:e===n?!0:Wn(G(t,e),G(t,n),r)}function Wn(t,e,n){if(t.desc.typeName==="google.protobuf.Any"&&n?.unpackAny==!0)return up(t.message,e.message,n);for(let r of t.fields)if(!nl(r,t,e,n))return!1;return!(n?.unknown==!0&&!pp(t,e,n.registry)||n?.extensions==!0&&!mp(t,e,n))}function nl(t,e,n,r){if(!e.isSet(t)&&!n.isSet(t))return!0;if(!e.isSet(t)||!n.isSet(t))return!1;switch(t.fieldKind){case"scalar":return rt(t.scalar,e.get(t),n.get(t));case"enum":return e.get(t)===n.get(t);case"message":return Wn(e.get(t),n.get(t),r);case"map":{let o=e.get(t),s=n.get(t),i=[];for(let a of o.keys()){if(!s.has(a))return!1;i.push(a)}for(let a of s.keys())if(!o.has(a))return!1;for(let a of i){let l=o.get(a),c=s.get(a);if(l!==c)switch(t.mapKind){case"enum":return!1;case"message":if(!Wn(l,c,r))return!1;break;case"scalar":if(!rt(t.scalar,l,c))return!1;break}}break}case"list":{let o=e.get(t),s=n.get(t);if(o.size!=s.size)return!1;for(let i=0;i<o.size;i++){let a=o.get(i),l=s.get(i);if(a!==l)switch(t.listKind){case"enum":return!1;case"message":if(!Wn(a,l,r))return!1;break;case"scalar":if(!rt(t.scalar,a,l))return!1;break}}break}}return!0}function up(t,e,n){if(t.typeUrl!==e.typeUrl)return!1;let r=Zt(t,n.registry),o=Zt(e,n.registry);if(r&&o){let s=n.registry.getMessage(r.$typeName);if(s)return is(s,r,o,n)}return rt(u.BYTES,t.value,e.value)}function pp(t,e,n){function r(i,a){var l;let c=(l=i.getUnknown())!==null&&l!==void 0?l:[];return a?c.filter(d=>!a.getExtensionFor(i.desc,d.no)):c}let o=r(t,n),s=r(e,n);if(o.length!=s.length)return!1;for(let i=0;i<o.length;i++){let a=o[i],l=s[i];if(a.no!=l.no||a.wireType!=l.wireType||!rt(u.BYTES,a.data,l.data))return!1}return!0}function mp(t,e,n){function r(i,a){var l;return((l=i.getUnknown())!==null&&l!==void 0?l:[]).map(c=>a.getExtensionFor(i.desc,c.no)).filter(c=>c!=null).filter((c,d,m)=>m.indexOf(c)===d)}let o=r(t,n.registry),s=r(e,n.registry);if(o.length!=s.length||o.some(i=>!s.includes(i)))return!1;for(let i of o){let[a,l]=xe(i,Xt(t.message,i)),[c]=xe(i,Xt(e.message,i));if(!nl(l,a,c,n))return!1}return!0}var fp=3,hp=2,rl={alwaysEmitImplicit:!1,enumAsInteger:!1,useProtoFieldName:!1};function gp(t){return t?Object.assign(Object.assign({},rl),t):rl}function as(t,e,n){return jt(G(t,e),gp(n))}function sl(t,e,n){var r;let o=as(t,e,n);return JSON.stringify(o,null,(r=n?.prettySpaces)!==null&&r!==void 0?r:0)}function jt(t,e){var n;let r=Ep(t,e);if(r!==void 0)return r;let o={};for(let s of t.sortedFields){if(!t.isSet(s)){if(s.presence==fp)throw new Error(`cannot encode ${s} to JSON: required field not set`);if(!e.alwaysEmitImplicit||s.presence!==hp)continue}let i=ol(s,t.get(s),e);i!==void 0&&(o[vp(s,e)]=i)}if(e.registry){let s=new Set;for(let{no:i}of(n=t.getUnknown())!==null&&n!==void 0?n:[])if(!s.has(i)){s.add(i);let a=e.registry.getExtensionFor(t.desc,i);if(!a)continue;let l=Xt(t.message,a),[c,d]=xe(a,l),m=ol(d,c.get(d),e);m!==void 0&&(o[a.jsonName]=m)}}return o}function ol(t,e,n){switch(t.fieldKind){case"scalar":return Pn(t,e);case"message":return jt(e,n);case"enum":return ls(t.enum,e,n.enumAsInteger);case"list":return yp(e,n);case"map":return bp(e,n)}}function bp(t,e){let n=t.field(),r={};switch(n.mapKind){case"scalar":for(let[o,s]of t)r[o]=Pn(n,s);break;case"message":for(let[o,s]of t)r[o]=jt(s,e);break;case"enum":for(let[o,s]of t)r[o]=ls(n.enum,s,e.enumAsInteger);break}return e.alwaysEmitImplicit||t.size>0?r:void 0}function yp(t,e){let n=t.field(),r=[];switch(n.listKind){case"scalar":for(let o of t)r.push(Pn(n,o));break;case"enum":for(let o of t)r.push(ls(n.enum,o,e.enumAsInteger));break;case"message":for(let o of t)r.push(jt(o,e));break}return e.alwaysEmitImplicit||r.length>0?r:void 0}function ls(t,e,n){var r;if(typeof e!="number")throw new Error(`cannot encode ${t} to JSON: expected number, got ${J(e)}`);if(t.typeName=="google.protobuf.NullValue")return null;if(n)return e;let o=t.value[e];return(r=o?.name)!==null&&r!==void 0?r:e}function Pn(t,e){var n,r,o,s,i,a;switch(t.scalar){case u.INT32:case u.SFIXED32:case u.SINT32:case u.FIXED32:case u.UINT32:if(typeof e!="number")throw new Error(`cannot encode ${t} to JSON: ${(n=ye(t,e))===null||n===void 0?void 0:n.message}`);return e;case u.FLOAT:case u.DOUBLE:if(typeof e!="number")throw new Error(`cannot encode ${t} to JSON: ${(r=ye(t,e))===null||r===void 0?void 0:r.message}`);return Number.isNaN(e)?"NaN":e===Number.POSITIVE_INFINITY?"Infinity":e===Number.NEGATIVE_INFINITY?"-Infinity":e;case u.STRING:if(typeof e!="string")throw new Error(`cannot encode ${t} to JSON: ${(o=ye(t,e))===null||o===void 0?void 0:o.message}`);return e;case u.BOOL:if(typeof e!="boolean")throw new Error(`cannot encode ${t} to JSON: ${(s=ye(t,e))===null||s===void 0?void 0:s.message}`);return e;case u.UINT64:case u.FIXED64:case u.INT64:case u.SFIXED64:case u.SINT64:if(typeof e!="bigint"&&typeof e!="string")throw new Error(`cannot encode ${t} to JSON: ${(i=ye(t,e))===null||i===void 0?void 0:i.message}`);return e.toString();case u.BYTES:if(e instanceof Uint8Array)return Ot(e);throw new Error(`cannot encode ${t} to JSON: ${(a=ye(t,e))===null||a===void 0?void 0:a.message}`)}}function vp(t,e){return e.useProtoFieldName?t.name:t.jsonName}function Ep(t,e){if(t.desc.typeName.startsWith("google.protobuf."))switch(t.desc.typeName){case"google.protobuf.Any":return wp(t.message,e);case"google.protobuf.Timestamp":return Ip(t.message);case"google.protobuf.Duration":return Sp(t.message);case"google.protobuf.FieldMask":return xp(t.message);case"google.protobuf.Struct":return il(t.message);case"google.protobuf.Value":return cs(t.message);case"google.protobuf.ListValue":return al(t.message);default:if(le(t.desc)){let n=t.desc.fields[0];return Pn(n,t.get(n))}return}}function wp(t,e){if(t.typeUrl==="")return{};let{registry:n}=e,r,o;if(n&&(r=Zt(t,n),r&&(o=n.getMessage(r.$typeName))),!o||!r)throw new Error(`cannot encode message ${t.$typeName} to JSON: "${t.typeUrl}" is not in the type registry`);let s=jt(G(o,r),e);return(o.typeName.startsWith("google.protobuf.")||s===null||Array.isArray(s)||typeof s!="object")&&(s={value:s}),s["@type"]=t.typeUrl,s}function Sp(t){if(Number(t.seconds)>315576e6||Number(t.seconds)<-315576e6)throw new Error(`cannot encode message ${t.$typeName} to JSON: value out of range`);let e=t.seconds.toString();if(t.nanos!==0){let n=Math.abs(t.nanos).toString();n="0".repeat(9-n.length)+n,n.substring(3)==="000000"?n=n.substring(0,3):n.substring(6)==="000"&&(n=n.substring(0,6)),e+="."+n,t.nanos<0&&Number(t.seconds)==0&&(e="-"+e)}return e+"s"}function xp(t){return t.paths.map(e=>{if(e.match(/_[0-9]?_/g)||e.match(/[A-Z]/g))throw new Error(`cannot encode message ${t.$typeName} to JSON: lowerCamelCase of path name "`+e+'" is irreversible');return Te(e)}).join(",")}function il(t){let e={};for(let[n,r]of Object.entries(t.fields))e[n]=cs(r);return e}function cs(t){switch(t.kind.case){case"nullValue":return null;case"numberValue":if(!Number.isFinite(t.kind.value))throw new Error(`${t.$typeName} cannot be NaN or Infinity`);return t.kind.value;case"boolValue":return t.kind.value;case"stringValue":return t.kind.value;case"structValue":return il(t.kind.value);case"listValue":return al(t.kind.value);default:throw new Error(`${t.$typeName} must have a value`)}}function al(t){return t.values.map(cs)}function Ip(t){let e=Number(t.seconds)*1e3;if(e<Date.parse("0001-01-01T00:00:00Z")||e>Date.parse("9999-12-31T23:59:59Z"))throw new Error(`cannot encode message ${t.$typeName} to JSON: must be from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z inclusive`);if(t.nanos<0)throw new Error(`cannot encode message ${t.$typeName} to JSON: nanos must not be negative`);let n="Z";if(t.nanos>0){let r=(t.nanos+1e9).toString().substring(1);r.substring(3)==="000000"?n="."+r.substring(0,3)+"Z":r.substring(6)==="000"?n="."+r.substring(0,6)+"Z":n="."+r+"Z"}return new Date(e).toISOString().replace(".000Z",n)}var ll={ignoreUnknownFields:!1};function Ap(t){return t?Object.assign(Object.assign({},ll),t):ll}function dl(t,e,n){return ds(t,_p(e,t.typeName),n)}function ds(t,e,n){let r=G(t);try{ct(r,e,Ap(n))}catch(o){throw Xi(o)?new Error(`cannot decode ${o.field()} from JSON: ${o.message}`,{cause:o}):o}return r.message}function ct(t,e,n){var r;if($p(t,e,n))return;if(e==null||Array.isArray(e)||typeof e!="object")throw new Error(`cannot decode ${t.desc} from JSON: ${J(e)}`);let o=new Map,s=new Map;for(let i of t.desc.fields)s.set(i.name,i).set(i.jsonName,i);for(let[i,a]of Object.entries(e)){let l=s.get(i);if(l){if(l.oneof){if(a===null&&l.fieldKind=="scalar")continue;let c=o.get(l.oneof);if(c!==void 0)throw new U(l.oneof,`oneof set multiple times by ${c.name} and ${l.name}`);o.set(l.oneof,l)}cl(t,l,a,n)}else{let c;if(i.startsWith("[")&&i.endsWith("]")&&(c=(r=n.registry)===null||r===void 0?void 0:r.getExtension(i.substring(1,i.length-1)))&&c.extendee.typeName===t.desc.typeName){let[d,m,b]=xe(c);cl(d,m,a,n),el(t.message,c,b())}if(!c&&!n.ignoreUnknownFields)throw new Error(`cannot decode ${t.desc} from JSON: key "${i}" is unknown`)}}}function cl(t,e,n,r){switch(e.fieldKind){case"scalar":Cp(t,e,n);break;case"enum":Tp(t,e,n,r);break;case"message":kp(t,e,n,r);break;case"list":Rp(t.get(e),n,r);break;case"map":Np(t.get(e),n,r);break}}function Np(t,e,n){if(e===null)return;let r=t.field();if(typeof e!="object"||Array.isArray(e))throw new U(r,"expected object, got "+J(e));for(let[o,s]of Object.entries(e)){if(s===null)throw new U(r,"map value must not be null");let i;switch(r.mapKind){case"message":let l=G(r.message);ct(l,s,n),i=l;break;case"enum":if(i=us(r.enum,s,n.ignoreUnknownFields,!0),i===Yn)return;break;case"scalar":i=Kn(r,s,!0);break}let a=Lp(r.mapKey,o);t.set(a,i)}}function Rp(t,e,n){if(e===null)return;let r=t.field();if(!Array.isArray(e))throw new U(r,"expected Array, got "+J(e));for(let o of e){if(o===null)throw new U(r,"list item must not be null");switch(r.listKind){case"message":let s=G(r.message);ct(s,o,n),t.add(s);break;case"enum":let i=us(r.enum,o,n.ignoreUnknownFields,!0);i!==Yn&&t.add(i);break;case"scalar":t.add(Kn(r,o,!0));break}}}function kp(t,e,n,r){if(n===null&&e.message.typeName!="google.protobuf.Value"){t.clear(e);return}let o=t.isSet(e)?t.get(e):G(e.message);ct(o,n,r),t.set(e,o)}function Tp(t,e,n,r){let o=us(e.enum,n,r.ignoreUnknownFields,!1);o===Zn?t.clear(e):o!==Yn&&t.set(e,o)}function Cp(t,e,n){let r=Kn(e,n,!1);r===Zn?t.clear(e):t.set(e,r)}var Yn=Symbol();function us(t,e,n,r){if(e===null)return t.typeName=="google.protobuf.NullValue"?0:r?t.values[0].number:Zn;switch(typeof e){case"number":if(Number.isInteger(e))return e;break;case"string":let o=t.values.find(s=>s.name===e);if(o!==void 0)return o.number;if(n)return Yn;break}throw new Error(`cannot decode ${t} from JSON: ${J(e)}`)}var Zn=Symbol();function Kn(t,e,n){if(e===null)return n?ee(t.scalar,!1):Zn;switch(t.scalar){case u.DOUBLE:case u.FLOAT:if(e==="NaN")return NaN;if(e==="Infinity")return Number.POSITIVE_INFINITY;if(e==="-Infinity")return Number.NEGATIVE_INFINITY;if(typeof e=="number"){if(Number.isNaN(e))throw new U(t,"unexpected NaN number");if(!Number.isFinite(e))throw new U(t,"unexpected infinite number");break}if(typeof e=="string"){if(e===""||e.trim().length!==e.length)break;let r=Number(e);if(!Number.isFinite(r))break;return r}break;case u.INT32:case u.FIXED32:case u.SFIXED32:case u.SINT32:case u.UINT32:return ul(e);case u.BYTES:if(typeof e=="string"){if(e==="")return new Uint8Array(0);try{return it(e)}catch(r){let o=r instanceof Error?r.message:String(r);throw new U(t,o)}}break}return e}function Lp(t,e){switch(t){case u.BOOL:switch(e){case"true":return!0;case"false":return!1}return e;case u.INT32:case u.FIXED32:case u.UINT32:case u.SFIXED32:case u.SINT32:return ul(e);default:return e}}function ul(t){if(typeof t=="string"){if(t===""||t.trim().length!==t.length)return t;let e=Number(t);return Number.isNaN(e)?t:e}return t}function _p(t,e){try{return JSON.parse(t)}catch(n){let r=n instanceof Error?n.message:String(n);throw new Error(`cannot decode message ${e} from JSON: ${r}`,{cause:n})}}function $p(t,e,n){if(!t.desc.typeName.startsWith("google.protobuf."))return!1;switch(t.desc.typeName){case"google.protobuf.Any":return Mp(t.message,e,n),!0;case"google.protobuf.Timestamp":return Jp(t.message,e),!0;case"google.protobuf.Duration":return Gp(t.message,e),!0;case"google.protobuf.FieldMask":return Up(t.message,e),!0;case"google.protobuf.Struct":return pl(t.message,e),!0;case"google.protobuf.Value":return ps(t.message,e),!0;case"google.protobuf.ListValue":return ml(t.message,e),!0;default:if(le(t.desc)){let r=t.desc.fields[0];return e===null?t.clear(r):t.set(r,Kn(r,e,!0)),!0}return!1}}function Mp(t,e,n){var r;if(e===null||Array.isArray(e)||typeof e!="object")throw new Error(`cannot decode message ${t.$typeName} from JSON: expected object but got ${J(e)}`);if(Object.keys(e).length==0)return;let o=e["@type"];if(typeof o!="string"||o=="")throw new Error(`cannot decode message ${t.$typeName} from JSON: "@type" is empty`);let s=o.includes("/")?o.substring(o.lastIndexOf("/")+1):o;if(!s.length)throw new Error(`cannot decode message ${t.$typeName} from JSON: "@type" is invalid`);let i=(r=n.registry)===null||r===void 0?void 0:r.getMessage(s);if(!i)throw new Error(`cannot decode message ${t.$typeName} from JSON: ${o} is not in the type registry`);let a=G(i);if(s.startsWith("google.protobuf.")&&Object.prototype.hasOwnProperty.call(e,"value")){let l=e.value;ct(a,l,n)}else{let l=Object.assign({},e);delete l["@type"],ct(a,l,n)}Oa(a.desc,a.message,t)}function Jp(t,e){if(typeof e!="string")throw new Error(`cannot decode message ${t.$typeName} from JSON: ${J(e)}`);let n=e.match(/^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|([+-][0-9][0-9]:[0-9][0-9]))$/);if(!n)throw new Error(`cannot decode message ${t.$typeName} from JSON: invalid RFC 3339 string`);let r=Date.parse(n[1]+"-"+n[2]+"-"+n[3]+"T"+n[4]+":"+n[5]+":"+n[6]+(n[8]?n[8]:"Z"));if(Number.isNaN(r))throw new Error(`cannot decode message ${t.$typeName} from JSON: invalid RFC 3339 string`);if(r<Date.parse("0001-01-01T00:00:00Z")||r>Date.parse("9999-12-31T23:59:59Z"))throw new Error(`cannot decode message ${t.$typeName} from JSON: must be from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z inclusive`);t.seconds=N.parse(r/1e3),t.nanos=0,n[7]&&(t.nanos=parseInt("1"+n[7]+"0".repeat(9-n[7].length))-1e9)}function Gp(t,e){if(typeof e!="string")throw new Error(`cannot decode message ${t.$typeName} from JSON: ${J(e)}`);let n=e.match(/^(-?[0-9]+)(?:\.([0-9]+))?s/);if(n===null)throw new Error(`cannot decode message ${t.$typeName} from JSON: ${J(e)}`);let r=Number(n[1]);if(r>315576e6||r<-315576e6)throw new Error(`cannot decode message ${t.$typeName} from JSON: ${J(e)}`);if(t.seconds=N.parse(r),typeof n[2]!="string")return;let o=n[2]+"0".repeat(9-n[2].length);t.nanos=parseInt(o),(r<0||Object.is(r,-0))&&(t.nanos=-t.nanos)}function Up(t,e){if(typeof e!="string")throw new Error(`cannot decode message ${t.$typeName} from JSON: ${J(e)}`);if(e==="")return;function n(r){if(r.includes("_"))throw new Error(`cannot decode message ${t.$typeName} from JSON: path names must be lowerCamelCase`);let o=r.replace(/[A-Z]/g,s=>"_"+s.toLowerCase());return o[0]==="_"?o.substring(1):o}t.paths=e.split(",").map(n)}function pl(t,e){if(typeof e!="object"||e==null||Array.isArray(e))throw new Error(`cannot decode message ${t.$typeName} from JSON ${J(e)}`);for(let[n,r]of Object.entries(e)){let o=I(os);ps(o,r),t.fields[n]=o}}function ps(t,e){switch(typeof e){case"number":t.kind={case:"numberValue",value:e};break;case"string":t.kind={case:"stringValue",value:e};break;case"boolean":t.kind={case:"boolValue",value:e};break;case"object":if(e===null)t.kind={case:"nullValue",value:Bn.NULL_VALUE};else if(Array.isArray(e)){let n=I(Va);ml(n,e),t.kind={case:"listValue",value:n}}else{let n=I(Ba);pl(n,e),t.kind={case:"structValue",value:n}}break;default:throw new Error(`cannot decode message ${t.$typeName} from JSON ${J(e)}`)}return t}function ml(t,e){if(!Array.isArray(e))throw new Error(`cannot decode message ${t.$typeName} from JSON ${J(e)}`);for(let n of e){let r=I(os);ps(r,n),t.values.push(r)}}function Ht(t){let e=w[t];return typeof e!="string"?t.toString():e[0].toLowerCase()+e.substring(1).replace(/[A-Z]/g,n=>"_"+n.toLowerCase())}var Xn;function fl(t){if(!Xn){Xn={};for(let e of Object.values(w))typeof e!="string"&&(Xn[Ht(e)]=e)}return Xn[t]}var R=class t extends Error{constructor(e,n=w.Unknown,r,o,s){super(Op(e,n)),this.name="ConnectError",Object.setPrototypeOf(this,new.target.prototype),this.rawMessage=e,this.code=n,this.metadata=new Headers(r??{}),this.details=o??[],this.cause=s}static from(e,n=w.Unknown){return e instanceof t?e:e instanceof Error?e.name=="AbortError"||e.name=="TimeoutError"?new t(e.message,w.Canceled):new t(e.message,n,void 0,void 0,e):new t(String(e),n,void 0,void 0,e)}static[Symbol.hasInstance](e){return e instanceof Error?Object.getPrototypeOf(e)===t.prototype?!0:e.name==="ConnectError"&&"code"in e&&typeof e.code=="number"&&"metadata"in e&&"details"in e&&Array.isArray(e.details)&&"rawMessage"in e&&typeof e.rawMessage=="string"&&"cause"in e:!1}findDetails(e){let n=e.kind==="message"?{getMessage:o=>o===e.typeName?e:void 0}:e,r=[];for(let o of this.details){if("desc"in o){n.getMessage(o.desc.typeName)&&r.push(I(o.desc,o.value));continue}let s=n.getMessage(o.type);if(s)try{r.push(ve(s,o.value))}catch{}}return r}};function Op(t,e){return t.length?`[${Ht(e)}] ${t}`:`[${Ht(e)}]`}function ms(...t){let e=new Headers;for(let n of t)n.forEach((r,o)=>{e.append(o,r)});return e}function hl(t,e){let n={};for(let r of t.methods){let o=e(r);o!=null&&(n[r.localName]=o)}return n}var jn=1;function gl(t,e,n=!1){if(e>t){let r=`message size is larger than configured readMaxBytes ${t}`;throw n&&(r=`message size ${e} is larger than configured readMaxBytes ${t}`),new R(r,w.ResourceExhausted)}}function Dp(t){return new fs(t)}var fs=class{constructor(e){this.readMaxBytes=e,this.header=new Uint8Array(5),this.headerView=new DataView(this.header.buffer),this.buf=[]}get byteLength(){return this.buf.reduce((e,n)=>e+n.byteLength,0)}decode(e){this.buf.push(e);let n=[];for(;;){let r=this.pop();if(!r)break;n.push(r)}return n}pop(){if(!(!this.env&&(this.env=this.head(),!this.env))&&this.cons(this.env.data)){let e=this.env;return this.env=void 0,e}}head(){if(!this.cons(this.header))return;let e=this.headerView.getUint8(0),n=this.headerView.getUint32(1);return gl(this.readMaxBytes,n,!0),{flags:e,data:new Uint8Array(n)}}cons(e){let n=e.byteLength;if(this.byteLength<n)return!1;let r=0;for(;r<n;){let o=this.buf.shift();o.byteLength>n-r?(e.set(o.subarray(0,n-r),r),this.buf.unshift(o.subarray(n-r)),r+=n-r):(e.set(o,r),r+=o.byteLength)}return!0}};function hs(t){let e,n=Dp(4294967295);return new ReadableStream({start(){e=t.getReader()},async pull(r){let o=!1;for(;!o;){let s=await e.read();if(s.done)n.byteLength>0&&r.error(new R("protocol error: incomplete envelope",w.InvalidArgument)),r.close();else for(let i of n.decode(s.value))r.enqueue(i),o=!0}}})}function gs(t,e){let n=new Uint8Array(e.length+5);n.set(e,5);let r=new DataView(n.buffer,n.byteOffset,n.byteLength);return r.setUint8(0,t),r.setUint32(1,e.length),n}var Fp=function(t){if(!Symbol.asyncIterator)throw new TypeError("Symbol.asyncIterator is not defined.");var e=t[Symbol.asyncIterator],n;return e?e.call(t):(t=typeof __values=="function"?__values(t):t[Symbol.iterator](),n={},r("next"),r("throw"),r("return"),n[Symbol.asyncIterator]=function(){return this},n);function r(s){n[s]=t[s]&&function(i){return new Promise(function(a,l){i=t[s](i),o(a,l,i.done,i.value)})}}function o(s,i,a,l){Promise.resolve(l).then(function(c){s({value:c,done:a})},i)}},zt=function(t){return this instanceof zt?(this.v=t,this):new zt(t)},Bp=function(t,e,n){if(!Symbol.asyncIterator)throw new TypeError("Symbol.asyncIterator is not defined.");var r=n.apply(t,e||[]),o,s=[];return o=Object.create((typeof AsyncIterator=="function"?AsyncIterator:Object).prototype),a("next"),a("throw"),a("return",i),o[Symbol.asyncIterator]=function(){return this},o;function i(p){return function(g){return Promise.resolve(g).then(p,m)}}function a(p,g){r[p]&&(o[p]=function(E){return new Promise(function(x,M){s.push([p,E,x,M])>1||l(p,E)})},g&&(o[p]=g(o[p])))}function l(p,g){try{c(r[p](g))}catch(E){b(s[0][3],E)}}function c(p){p.value instanceof zt?Promise.resolve(p.value.v).then(d,m):b(s[0][2],p)}function d(p){l("next",p)}function m(p){l("throw",p)}function b(p,g){p(g),s.shift(),s.length&&l(s[0][0],s[0][1])}},Vp=function(t){var e,n;return e={},r("next"),r("throw",function(o){throw o}),r("return"),e[Symbol.iterator]=function(){return this},e;function r(o,s){e[o]=t[o]?function(i){return(n=!n)?{value:zt(t[o](i)),done:!1}:s?s(i):i}:s}};function bl(t){return Bp(this,arguments,function*(){yield zt(yield*Vp(Fp(t)))})}var yl=function(t){if(!Symbol.asyncIterator)throw new TypeError("Symbol.asyncIterator is not defined.");var e=t[Symbol.asyncIterator],n;return e?e.call(t):(t=typeof __values=="function"?__values(t):t[Symbol.iterator](),n={},r("next"),r("throw"),r("return"),n[Symbol.asyncIterator]=function(){return this},n);function r(s){n[s]=t[s]&&function(i){return new Promise(function(a,l){i=t[s](i),o(a,l,i.done,i.value)})}}function o(s,i,a,l){Promise.resolve(l).then(function(c){s({value:c,done:a})},i)}},dt=function(t){return this instanceof dt?(this.v=t,this):new dt(t)},Wp=function(t){var e,n;return e={},r("next"),r("throw",function(o){throw o}),r("return"),e[Symbol.iterator]=function(){return this},e;function r(o,s){e[o]=t[o]?function(i){return(n=!n)?{value:dt(t[o](i)),done:!1}:s?s(i):i}:s}},Pp=function(t,e,n){if(!Symbol.asyncIterator)throw new TypeError("Symbol.asyncIterator is not defined.");var r=n.apply(t,e||[]),o,s=[];return o=Object.create((typeof AsyncIterator=="function"?AsyncIterator:Object).prototype),a("next"),a("throw"),a("return",i),o[Symbol.asyncIterator]=function(){return this},o;function i(p){return function(g){return Promise.resolve(g).then(p,m)}}function a(p,g){r[p]&&(o[p]=function(E){return new Promise(function(x,M){s.push([p,E,x,M])>1||l(p,E)})},g&&(o[p]=g(o[p])))}function l(p,g){try{c(r[p](g))}catch(E){b(s[0][3],E)}}function c(p){p.value instanceof dt?Promise.resolve(p.value.v).then(d,m):b(s[0][2],p)}function d(p){l("next",p)}function m(p){l("throw",p)}function b(p,g){p(g),s.shift(),s.length&&l(s[0][0],s[0][1])}};function Hn(t,e){return hl(t,n=>{switch(n.methodKind){case"unary":return Yp(e,n);case"server_streaming":return Zp(e,n);case"client_streaming":return Kp(e,n);case"bidi_streaming":return Xp(e,n);default:return null}})}function Yp(t,e){return async(n,r)=>{var o,s;let i=await t.unary(e,r?.signal,r?.timeoutMs,r?.headers,n,r?.contextValues);return(o=r?.onHeader)===null||o===void 0||o.call(r,i.header),(s=r?.onTrailer)===null||s===void 0||s.call(r,i.trailer),i.message}}function Zp(t,e){return(n,r)=>vl(t.stream(e,r?.signal,r?.timeoutMs,r?.headers,bl([n]),r?.contextValues),r)}function Kp(t,e){return async(n,r)=>{var o,s,i,a,l,c;let d=await t.stream(e,r?.signal,r?.timeoutMs,r?.headers,n,r?.contextValues);(l=r?.onHeader)===null||l===void 0||l.call(r,d.header);let m,b=0;try{for(var p=!0,g=yl(d.message),E;E=await g.next(),o=E.done,!o;p=!0)a=E.value,p=!1,m=a,b++}catch(x){s={error:x}}finally{try{!p&&!o&&(i=g.return)&&await i.call(g)}finally{if(s)throw s.error}}if(!m)throw new R("protocol error: missing response message",w.Unimplemented);if(b>1)throw new R("protocol error: received extra messages for client streaming method",w.Unimplemented);return(c=r?.onTrailer)===null||c===void 0||c.call(r,d.trailer),m}}function Xp(t,e){return(n,r)=>vl(t.stream(e,r?.signal,r?.timeoutMs,r?.headers,n,r?.contextValues),r)}function vl(t,e){let n=(function(){return Pp(this,arguments,function*(){var r,o;let s=yield dt(t);(r=e?.onHeader)===null||r===void 0||r.call(e,s.header),yield dt(yield*Wp(yl(s.message))),(o=e?.onTrailer)===null||o===void 0||o.call(e,s.trailer)})})()[Symbol.asyncIterator]();return{[Symbol.asyncIterator]:()=>({next:()=>n.next()})}}function El(...t){let e=new AbortController,n=t.filter(o=>o!==void 0).concat(e.signal);for(let o of n){if(o.aborted){r.apply(o);break}o.addEventListener("abort",r)}function r(){e.signal.aborted||e.abort(bs(this));for(let o of n)o.removeEventListener("abort",r)}return e}function wl(t){let e=new AbortController,n=()=>{e.abort(new R("the operation timed out",w.DeadlineExceeded))},r;return t!==void 0&&(t<=0?n():r=setTimeout(n,t)),{signal:e.signal,cleanup:()=>clearTimeout(r)}}function bs(t){if(!t.aborted)return;if(t.reason!==void 0)return t.reason;let e=new Error("This operation was aborted");return e.name="AbortError",e}function zn(){return{get(t){return t.id in this?this[t.id]:t.defaultValue},set(t,e){return this[t.id]=e,this},delete(t){return delete this[t.id],this}}}function Qn(t,e){return t.toString().replace(/\/?$/,`/${e.parent.typeName}/${e.name}`)}function ys(t,e){return I(t,e)}function Sl(t,e){function n(r){return r.done===!0?r:{done:r.done,value:ys(t,r.value)}}return{[Symbol.asyncIterator](){let r=e[Symbol.asyncIterator](),o={next:()=>r.next().then(n)};return r.throw!==void 0&&(o.throw=s=>r.throw(s).then(n)),r.return!==void 0&&(o.return=s=>r.return(s).then(n)),o}}}function vs(t,e){if(!e)return t;for(let n of e.concat().reverse())t=n(t);return t}function qn(t){var e;let n=Object.assign({},t);return(e=n.ignoreUnknownFields)!==null&&e!==void 0||(n.ignoreUnknownFields=!0),n}function er(t,e,n,r){let o=e?xl(t.input,r):Il(t.input,n);return{parse:(e?xl(t.output,r):Il(t.output,n)).parse,serialize:o.serialize}}function xl(t,e){return{parse(n){try{return ve(t,n,e)}catch(r){let o=r instanceof Error?r.message:String(r);throw new R(`parse binary: ${o}`,w.Internal)}},serialize(n){try{return Yt(t,n,e)}catch(r){let o=r instanceof Error?r.message:String(r);throw new R(`serialize binary: ${o}`,w.Internal)}}}}function Il(t,e){var n,r;let o=(n=e?.textEncoder)!==null&&n!==void 0?n:new TextEncoder,s=(r=e?.textDecoder)!==null&&r!==void 0?r:new TextDecoder,i=qn(e);return{parse(a){try{let l=s.decode(a);return dl(t,l,i)}catch(l){throw R.from(l,w.InvalidArgument)}},serialize(a){try{let l=sl(t,a,i);return o.encode(l)}catch(l){throw R.from(l,w.Internal)}}}}var jp=/^application\/(connect\+)?(?:(json)(?:; ?charset=utf-?8)?|(proto))$/i;var Al="application/proto",Nl="application/json",Rl="application/connect+proto",kl="application/connect+json";function Tl(t){let e=t?.match(jp);if(!e)return;let n=!!e[1],r=!!e[3];return{stream:n,binary:r}}function Qt(t,e,n){var r;if(e&&new Headers(e).forEach((a,l)=>n.metadata.append(l,a)),typeof t!="object"||t==null||Array.isArray(t))throw n;let o=n.code;"code"in t&&typeof t.code=="string"&&(o=(r=fl(t.code))!==null&&r!==void 0?r:o);let s=t.message;if(s!=null&&typeof s!="string")throw n;let i=new R(s??"",o,e);if("details"in t&&Array.isArray(t.details))for(let a of t.details){if(a===null||typeof a!="object"||Array.isArray(a)||typeof a.type!="string"||typeof a.value!="string")throw n;try{i.details.push({type:a.type,value:it(a.value),debug:a.debug})}catch{throw n}}return i}var tr=2;function Es(t){let e=new R("invalid end stream",w.Unknown),n;try{n=JSON.parse(typeof t=="string"?t:new TextDecoder().decode(t))}catch{throw e}if(typeof n!="object"||n==null||Array.isArray(n))throw e;let r=new Headers;if("metadata"in n){if(typeof n.metadata!="object"||n.metadata==null||Array.isArray(n.metadata))throw e;for(let[s,i]of Object.entries(n.metadata)){if(!Array.isArray(i)||i.some(a=>typeof a!="string"))throw e;for(let a of i)r.append(s,a)}}let o="error"in n&&n.error!=null?Qt(n.error,r,e):void 0;return{metadata:r,error:o}}var Ze="Content-Type",Cl="Content-Length",qt="Content-Encoding";var ws="Accept-Encoding";var Ll="Connect-Timeout-Ms",nr="Connect-Protocol-Version",Ss="User-Agent";function _l(t){switch(t){case 400:return w.Internal;case 401:return w.Unauthenticated;case 403:return w.PermissionDenied;case 404:return w.Unimplemented;case 429:return w.Unavailable;case 502:return w.Unavailable;case 503:return w.Unavailable;case 504:return w.Unavailable;default:return w.Unknown}}function rr(t){let e=new Headers,n=new Headers;return t.forEach((r,o)=>{o.toLowerCase().startsWith("trailer-")?n.append(o.substring(8),r):e.append(o,r)}),[e,n]}var or="1";function sr(t,e,n,r,o){let s=new Headers(r??{});return n!==void 0&&s.set(Ll,`${n}`),s.set(Ze,t=="unary"?e?Al:Nl:e?Rl:kl),s.set(nr,or),!s.has(Ss)&&o&&s.set(Ss,"connect-es/2.0.4"),s}function ir(t,e,n,r){let o=r.get(Ze),s=Tl(o);if(n!==200){let a=new R(`HTTP ${n}`,_l(n),r);if(t=="unary"&&s&&!s.binary)return{isUnaryError:!0,unaryError:a};throw a}let i={binary:e,stream:t!=="unary"};if(s?.binary!==i.binary||s.stream!==i.stream)throw new R(`unsupported content type ${o}`,s===void 0?w.Unknown:w.Internal,r);return{isUnaryError:!1}}var $l="application/";function Qp(t,e){return e?Ot(t,"url"):encodeURIComponent(new TextDecoder().decode(t))}function xs(t,e,n){let r=`?connect=v${or}`,o=t.header.get(Ze);o?.indexOf($l)===0&&(r+="&encoding="+encodeURIComponent(o.slice($l.length)));let s=t.header.get(qt);s!==null&&s!=="identity"&&(r+="&compression="+encodeURIComponent(s),n=!0),n&&(r+="&base64=1"),r+="&message="+Qp(e,n);let i=t.url+r,a=new Headers(t.header);for(let l of[nr,Ze,Cl,qt,ws])a.delete(l);return Object.assign(Object.assign({},t),{requestMethod:"GET",url:i,header:a})}function Is(t){let e=vs(t.next,t.interceptors),[n,r,o]=Ml(t),s=Object.assign(Object.assign({},t.req),{message:ys(t.req.method.input,t.req.message),signal:n});return e(s).then(i=>(o(),i),r)}function As(t){let e=vs(t.next,t.interceptors),[n,r,o]=Ml(t),s=Object.assign(Object.assign({},t.req),{message:Sl(t.req.method.input,t.req.message),signal:n}),i=!1;return n.addEventListener("abort",function(){var a,l;let c=t.req.message[Symbol.asyncIterator]();i||(a=c.throw)===null||a===void 0||a.call(c,this.reason).catch(()=>{}),(l=c.return)===null||l===void 0||l.call(c).catch(()=>{})}),e(s).then(a=>Object.assign(Object.assign({},a),{message:{[Symbol.asyncIterator](){let l=a.message[Symbol.asyncIterator]();return{next(){return l.next().then(c=>(c.done==!0&&(i=!0,o()),c),r)}}}}}),r)}function Ml(t){let{signal:e,cleanup:n}=wl(t.timeoutMs),r=El(t.signal,e);return[r.signal,function(s){let i=R.from(e.aborted?bs(e):s);return r.abort(i),n(),Promise.reject(i)},function(){n(),r.abort()}]}var Ns=B("Ch5nb29nbGUvcnBjL2Vycm9yX2RldGFpbHMucHJvdG8SCmdvb2dsZS5ycGMikwEKCUVycm9ySW5mbxIOCgZyZWFzb24YASABKAkSDgoGZG9tYWluGAIgASgJEjUKCG1ldGFkYXRhGAMgAygLMiMuZ29vZ2xlLnJwYy5FcnJvckluZm8uTWV0YWRhdGFFbnRyeRovCg1NZXRhZGF0YUVudHJ5EgsKA2tleRgBIAEoCRINCgV2YWx1ZRgCIAEoCToCOAEiOwoJUmV0cnlJbmZvEi4KC3JldHJ5X2RlbGF5GAEgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uIoMBCgpCYWRSZXF1ZXN0Ej8KEGZpZWxkX3Zpb2xhdGlvbnMYASADKAsyJS5nb29nbGUucnBjLkJhZFJlcXVlc3QuRmllbGRWaW9sYXRpb24aNAoORmllbGRWaW9sYXRpb24SDQoFZmllbGQYASABKAkSEwoLZGVzY3JpcHRpb24YAiABKAliBnByb3RvMw",[Ee]),Jl=k(Ns,0),Gl=k(Ns,1),Ul=k(Ns,2);var Rs=(S=>(S[S.UNSPECIFIED=0]="UNSPECIFIED",S[S.JOB_NOT_FOUND=1]="JOB_NOT_FOUND",S[S.JOB_ALREADY_EXISTS=2]="JOB_ALREADY_EXISTS",S[S.JOB_ENDED=3]="JOB_ENDED",S[S.SEQUENCE_TRIMMED=4]="SEQUENCE_TRIMMED",S[S.SEQUENCE_AHEAD=5]="SEQUENCE_AHEAD",S[S.EPOCH_CHANGED=6]="EPOCH_CHANGED",S[S.LEASE_LOST=7]="LEASE_LOST",S[S.REPORT_GAP=8]="REPORT_GAP",S[S.INVALID_FIELD=9]="INVALID_FIELD",S[S.TOO_LARGE=10]="TOO_LARGE",S[S.LIMIT_REACHED=11]="LIMIT_REACHED",S[S.STORE_UNAVAILABLE=12]="STORE_UNAVAILABLE",S[S.STORE_FULL=13]="STORE_FULL",S[S.DRAINING=14]="DRAINING",S[S.JOB_NOT_ENDED=15]="JOB_NOT_ENDED",S[S.UNAUTHENTICATED=16]="UNAUTHENTICATED",S[S.TOKEN_EXPIRED=17]="TOKEN_EXPIRED",S[S.PERMISSION_DENIED=18]="PERMISSION_DENIED",S))(Rs||{});function Ke({seconds:t,nanos:e}){return Number(t)*1e3+e/1e6}function en(t){if(t===void 0)return;let e=Math.floor(t/1e3);return I(Fa,{seconds:BigInt(e),nanos:Math.round((t-e*1e3)*1e6)})}function ut({seconds:t,nanos:e}){return Number(t)*1e3+e/1e6}var K=class extends Error{name="MilepostError"},Ie=class extends K{constructor(n,r){super(`The server cannot be reached: ${n}`,r);this.why=n}name="Unreachable"},ce=class extends Ie{name="Silent";constructor(e){super(`nothing was received for ${e/1e3} s`)}},ar=class extends K{name="StreamsBlocked";constructor(){super("The server answers calls, but no stream gets through: a proxy in between cuts them off or holds them back.")}},_e=class extends K{name="TokenUnavailable";constructor(e,n){super(`No token could be obtained: ${e}`,n)}},Z=class extends K{name="ProtocolError"},H=class extends K{name="ServiceError";reason;code;metadata;violations;retryDelayMs;constructor(e,n,r){super(e,r),this.reason=n.reason??"UNSPECIFIED",this.code=n.code,this.metadata=n.metadata??{},this.violations=n.violations??[],this.retryDelayMs=n.retryDelayMs}};function z(t,...e){return t instanceof H&&e.includes(t.reason)}var qp=new Set([w.Unavailable,w.DeadlineExceeded,w.Unknown,w.Canceled,w.Aborted]);function $e(t){if(t instanceof K)return t;let e=R.from(t),n={cause:t},r=e.findDetails(Jl).find(({domain:i})=>i==="milepost.v1");if(r===void 0&&qp.has(e.code))return new Ie(e.rawMessage,n);let o=e.findDetails(Gl)[0]?.retryDelay,s=e.findDetails(Ul).flatMap(({fieldViolations:i})=>i);return new H(e.rawMessage||w[e.code],{reason:em(r?.reason),code:e.code,metadata:r?.metadata,violations:s.map(({field:i,description:a})=>({field:i,description:a})),retryDelayMs:o&&Ke(o)},n)}function lr(t,e){return t instanceof H?t.reason==="LIMIT_REACHED"?e||(t.metadata.limit?.endsWith("-memory")??!1):[w.Unavailable,w.Canceled].includes(t.code)||t.reason==="UNSPECIFIED"&&t.code===w.Internal:t instanceof Ie||t instanceof _e}function em(t){return t!==void 0&&Object.hasOwn(Rs,t)&&Number.isNaN(Number(t))?t:"UNSPECIFIED"}function v(t){return t&&Number(t.seconds)*1e3+t.nanos/1e6}function Xe(t){return Number(t.seconds)+t.nanos/1e9}function T(t){let e=Math.max(Math.floor(t),0),n=Math.floor(e/3600),r=`${Ae(Math.floor(e/60)%60)}:${Ae(e%60)}`;return n?`${n}:${r}`:r}function X(t){return t<.0995?`${Math.round(Math.max(t,0)*1e3)} ms`:t<9.95?`${t.toFixed(1)} s`:T(t)}function cr(t){let e=Math.max(t,0);return e>=86400?`${Math.floor(e/86400)} d`:e>=3600?`${Math.floor(e/3600)} h`:e>=60?`${Math.floor(e/60)} min`:`${Math.floor(e)} s`}function Q(t){let e=new Date(t);return`${Ae(e.getHours())}:${Ae(e.getMinutes())}:${Ae(e.getSeconds())}`}function W(t){let e=new Date(t),n=-e.getTimezoneOffset(),r=`${e.getFullYear()}-${Ae(e.getMonth()+1)}-${Ae(e.getDate())}`,o=`${n<0?"\u2212":"+"}${Ae(Math.floor(Math.abs(n)/60))}:${Ae(Math.abs(n)%60)}`;return`${r} ${Q(t)}.${String(e.getMilliseconds()).padStart(3,"0")} ${o}`}function Ae(t){return String(t).padStart(2,"0")}var tm=/[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|[\ud800-\udfff]/gu;function de(t){return t.replace(tm,e=>`\\x${(e.codePointAt(0)??0).toString(16).padStart(2,"0")}`)}function y(t,e=256){let n=de(t.slice(0,4*e)).replace(/\s+/g," ").trim();return n.length<=e?n:`${n.slice(0,e-1)}\u2026`}function je(t,e=13){if(t.length<=e)return t;let n=Math.floor((e-1)/2);return`${t.slice(0,e-1-n)}\u2026${t.slice(t.length-n)}`}function $(t){return String(t).replace(/\B(?=(\d{3})+(?!\d))/g,",")}function O(t,e){return`${$(t)} ${e}${Number(t)===1?"":"s"}`}function Cs(t){let n=t%100>=11&&t%100<=13?"th":["th","st","nd","rd"][t%10]??"th";return`${$(t)}${n}`}function pt(t){return`${Ne(t)} %`}function Ne(t){return Math.floor(Math.min(Math.max(t,0),1)*100+1e-9)}var Ol=["","k","M","G","T","P","E","Z","Y"];function Ls(t){let{divisor:e,prefix:n}=Fl(t);return`${Ts(t,e)} ${n}B`}function Dl(t,e,n){if(e===void 0&&t===0)return"";if(nm(n)){if(e===void 0)return Ls(t);let{divisor:o,prefix:s}=Fl(e);return`${Ts(t,o)} of ${Ts(e,o)} ${s}B`}return`${e===void 0?ks(t):`${ks(t)} of ${ks(e)}`} ${y(n,32)}`.trim()}function nm(t){return["b","byte","bytes"].includes(t.toLowerCase())}function Fl(t){let e=1,n=0;for(;t>=999.95*e&&n<Ol.length-1;)e*=1e3,n+=1;return{divisor:e,prefix:Ol[n]??""}}function Ts(t,e){return e===1?t.toFixed(0):(t/e).toFixed(1)}function ks(t){if(Math.abs(t)>=1e15)return t.toExponential(2);let[e="",n]=(Number.isInteger(t)?String(t):t.toFixed(1)).split(".");return n===void 0?$(BigInt(e)):`${$(BigInt(e))}.${n}`}function mt(t,e=0){let{state:n,error:r,retryAt:o,staleSince:s,received:i,head:a,restartedAt:l,storeAway:c}=t;return{state:n==="paused"?"hidden":n,error:c?"the server cannot reach its store":rm(r),retryAt:o===void 0?void 0:o+e,staleSince:s===void 0?void 0:s+e,arrived:Number(i),known:Number(a),restarted:l!==void 0}}function rm(t){return t instanceof Ie?/fetch|network|load failed/i.test(t.why)?"no connection":t.why:t?.message??""}function ft(t,e){let n=t instanceof K?t.message:`The page has an error: ${String(t)}`;return{state:z(t,"JOB_NOT_FOUND")?"missing":t instanceof H&&t.code===w.Unauthenticated?"unauthenticated":"refused",error:n,staleSince:e,expired:z(t,"TOKEN_EXPIRED")}}function tn(t,e){let[n,r,o]=Bl(t,e),[,s]=Bl({...t,retryAt:void 0,known:void 0},e);return{shape:n,text:r,milestone:s,tone:o,stale:o==="stale"}}function Bl(t,e){let{state:n,error:r,retryAt:o,staleSince:s}=t,i=r?` (${y(r,120)})`:"",a=s===void 0?"":` \xB7 stale since ${Q(s)}`;switch(n){case"live":return t.restarted?["turned","live \xB7 history restarted","up"]:["full","live","up"];case"catching-up":return["half",`catching up${t.known?` ${$(t.arrived??0)} of ${$(t.known)}`:""}`,""];case"polling":return["half",`polling${i}`,""];case"reconnecting":{let l=o===void 0?0:Math.ceil((o-e)/1e3);return["empty",`reconnecting${l>0?` in ${l} s`:""}${i}${a}`,"stale"]}case"hidden":return["empty",`paused while hidden${a}`,"stale"];case"ended":return["done","complete","up"];case"unauthenticated":return["cross","signed out","stale"];case"refused":return["cross",`refused${i}`,"stale"];case"missing":return["cross","not found","stale"];case"connecting":return["empty","connecting",""]}}function Vl(t,e){return!tn(t,e).stale||t.staleSince===void 0?"":`No connection: this is what was known at ${Q(t.staleSince)}. It may have changed since.`}function ue({lines:t,boundaries:e}){return t.length-e}function ht(t){return t.reduce((e,{startsAttempt:n})=>e+(n?1:0),0)}var Wl=0;function gt(){return Wl+=1,Wl}var He=class{#e=-1;#t=0;#n=0;#r=0;read({lines:e,generation:n,prepended:r,dropped:o}){let s=o-this.#n,i=r-this.#t,a=this.#r-s,l=n!==this.#e||a<0||s>0&&i>0;return this.#e=n,this.#t=r,this.#n=o,this.#r=e.length,l?{reset:l,dropped:0,prepended:[],appended:e}:{reset:l,dropped:s,prepended:e.slice(0,i),appended:e.slice(i+a)}}};function Pl(t){switch(t.state){case 4:{let e=om(t);return e||t.message?{headline:`succeeded${e&&` with ${e}`}`,next:""}:void 0}case 5:return{headline:_s(t)||"failed",next:sm(t)};case 6:return{headline:`cancelled${t.cancellation?.forced?", by force":""}`,next:t.cancellation?.forced?"Its handler may still be running; nothing that it reports is taken. Look at that worker first.":"Submit it again to run it."};case 7:return{headline:`lost: worker ${y(t.workerId,128)||"of unknown name"} was silent for longer than its lease`,next:"Look at that worker's own log. Submit the job again, or allow it more attempts."};default:return}}function om(t){return[t.artifacts.length>0&&O(t.artifacts.length,"artifact"),t.result&&"a result"].filter(Boolean).join(" and ")}function _s(t){let e=t.failure;return e?y(e.message,1e3)||e.code:""}function sm(t){switch(t.failure?.code??""){case"TIMEOUT":case"ATTEMPT_TIMEOUT":return"It took longer than it may. Give it more time, or less to do.";case"START_DEADLINE":return"No worker started it in time. Start a worker of its kind, or give it longer to wait."}return t.failure?.retryable?"Another attempt may succeed. Submit it again, or allow it more attempts.":"The last lines of its log say more. Submit it again once the cause is gone."}var im={1:{word:"queued",shape:"waiting"},2:{word:"running",shape:"running"},3:{word:"cancelling",shape:"stopping"},4:{word:"succeeded",shape:"succeeded"},5:{word:"failed",shape:"failed"},6:{word:"cancelled",shape:"cancelled"},7:{word:"lost",shape:"lost"}},am={1:{word:"waiting",shape:"waiting"},2:{word:"running",shape:"running"},3:{word:"done",shape:"succeeded"},4:{word:"failed",shape:"failed"},5:{word:"skipped",shape:"skipped"},6:{word:"cancelled",shape:"cancelled"}},lm={1:"debug",3:"warning",4:"error"};function C(t){return im[t]??{word:t===0?"unknown":`state ${t}`,shape:"waiting"}}function nn(t){return am[t]??{word:`state ${t}`,shape:"waiting"}}function bt(t){return lm[t]??"info"}function A(t){return[4,5,6,7].includes(t.state)}function Re(t){return t.state===2||t.state===3}function ie(t){return t.fractionKnown||t.state===1&&t.attempt===0}function $s(t){return{state:t.state,attempt:t.attempt,quarter:ie(t)?Math.floor(Ne(t.fraction)/25):0,ended:new Set(t.stages.filter(cm).map(e=>e.stageId))}}function Yl(t,e){let n=$s(e),r=y(e.kind,64);if(n.state!==t.state||n.attempt!==t.attempt){let i=n.state===5||n.state===7?`: ${_s(e)}`:"",a=n.state===2&&n.attempt>1?`, attempt ${n.attempt}`:"";return`${r} ${C(e.state).word}${a}${i}`}let o=e.stages.filter(i=>n.ended.has(i.stageId)&&!t.ended.has(i.stageId));if(o.length>1)return`${o.length} stages of ${r} have ended`;let s=o[0];return s?`stage ${y(s.title||s.stageId,80)} ${nn(s.state).word}`:n.quarter>t.quarter?`${r} ${n.quarter*25} %`:""}function cm(t){return!t.parentStageId&&t.state!==1&&t.state!==2}var ne=class{#e={fraction:0,seconds:0};#t;#n=0;update(e,n,r){let o=Math.min(Math.max(e,0),1);return n!==this.#t?(this.#t=n,this.#r(o,0,r)):o>this.#e.fraction&&this.#r(o,Math.min(Math.max((r-this.#n)/1e3,.15),1.5),r),this.#e}#r(e,n,r){this.#e={fraction:e,seconds:n},this.#n=r}};var dr=L`
  dialog {
    width: min(460px, calc(100vw - 24px));
    padding: 20px;
    color: var(--_text);
    background: var(--_surface);
    border: 1px solid var(--_line);
    border-radius: 8px;
  }
  dialog::backdrop {
    background: rgb(0 0 0 / 45%);
  }
  h2 {
    margin: 0 0 4px;
    font-size: 16px;
  }
  p {
    margin: 0;
  }
  label {
    display: block;
    margin: 12px 0 4px;
  }
  textarea,
  select {
    width: 100%;
  }
  label:has([type="checkbox"]) {
    display: flex;
    gap: 8px;
    align-items: center;
  }
  [type="checkbox"] {
    min-height: 0;
    margin: 0;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    justify-content: end;
    gap: 8px;
    margin-top: 16px;
  }
`;var V=L`
  :host {
    --_text: var(--milepost-text, light-dark(#1b1f24, #e6e9ee));
    --_muted: var(--milepost-muted, light-dark(#59626e, #9aa4b1));
    --_surface: var(--milepost-surface, light-dark(#ffffff, #0f1216));
    --_raised: var(--milepost-raised, light-dark(#f5f6f8, #171b21));
    --_line: var(--milepost-line, light-dark(#dfe3e8, #2a3038));
    --_accent: var(--milepost-accent, light-dark(#2557c7, #7aa7ff));
    --_good: var(--milepost-good, light-dark(#17724a, #5bc98c));
    --_bad: var(--milepost-bad, light-dark(#bd2530, #ff8080));
    --_warn: var(--milepost-warn, light-dark(#855600, #e2b04a));
    --_font: var(--milepost-font, system-ui, sans-serif);
    --_mono: var(
      --milepost-mono,
      ui-monospace,
      "SF Mono",
      "Cascadia Mono",
      Menlo,
      Consolas,
      "DejaVu Sans Mono",
      monospace
    );
    --_radius: var(--milepost-radius, 4px);
    box-sizing: border-box;
    display: block;
    color: var(--_text);
    font: 14px/20px var(--_font);
    font-variant-numeric: tabular-nums;
    text-align: start;
  }
  :host([hidden]) {
    display: none;
  }
  *,
  *::before,
  *::after {
    box-sizing: inherit;
  }
  .icon {
    flex: none;
    vertical-align: -2px;
  }
  .running {
    color: var(--_accent);
  }
  .succeeded {
    color: var(--_good);
  }
  .failed,
  .lost {
    color: var(--_bad);
  }
  .cancelled,
  .stopping {
    color: var(--_warn);
  }
  .waiting,
  .skipped,
  .muted {
    color: var(--_muted);
  }
  .mono {
    font-family: var(--_mono);
    font-size: 12.5px;
  }
  /* Text of a job: on its own in both directions, and broken anywhere rather than beyond its box. */
  .foreign {
    unicode-bidi: isolate;
    overflow-wrap: anywhere;
  }
  .cut {
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .hidden-text {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  button,
  select,
  input,
  textarea {
    font: inherit;
    color: inherit;
    background: var(--_surface);
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    padding: 3px 8px;
    min-height: 28px;
  }
  button {
    cursor: pointer;
  }
  button:hover:not(:disabled) {
    border-color: var(--_muted);
  }
  button:disabled {
    cursor: default;
    color: var(--_muted);
  }
  button.plain {
    background: none;
    border-color: transparent;
    padding: 0 4px;
    min-height: 24px;
    min-width: 24px;
  }
  button.plain:hover:not(:disabled) {
    border-color: transparent;
    background: var(--_raised);
  }
  button.primary {
    background: var(--_accent);
    border-color: var(--_accent);
    color: var(--_surface);
  }
  button.danger {
    background: var(--_bad);
    border-color: var(--_bad);
    color: var(--_surface);
  }
  a {
    color: var(--_accent);
    text-decoration-thickness: 1px;
    text-underline-offset: 2px;
  }
  :focus-visible {
    outline: 2px solid var(--_accent);
    outline-offset: 1px;
  }
  .bar {
    position: relative;
    overflow: hidden;
    height: 6px;
    border-radius: 3px;
    background: var(--_line);
  }
  .bar > .fill {
    position: absolute;
    inset: 0;
    border-radius: inherit;
    background: currentColor;
    transform: scaleX(var(--fraction, 0));
    transform-origin: left;
    transition: transform var(--seconds, 0s) linear;
  }
  .bar.unknown > .fill {
    transform: none;
    background: repeating-linear-gradient(-45deg, currentColor 0 6px, transparent 6px 12px);
    opacity: 0.6;
  }
  .bar.unknown.moving > .fill {
    inset-inline-start: -17px;
    animation: moving 1.4s linear infinite;
  }
  @keyframes moving {
    to {
      transform: translateX(17px);
    }
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      transition: none !important;
      animation: none !important;
      scroll-behavior: auto !important;
    }
  }
  @media (forced-colors: active) {
    .bar {
      forced-color-adjust: none;
      color: CanvasText;
      background: Canvas;
      border: 1px solid CanvasText;
    }
    .bar > .fill {
      border-radius: 0;
    }
    [aria-pressed="true"],
    [role="tab"][aria-selected="true"] {
      forced-color-adjust: none;
      color: SelectedItemText !important;
      background: SelectedItem !important;
    }
    .row.selected,
    .row[aria-selected="true"] {
      outline: 2px solid SelectedItem;
      outline-offset: -2px;
    }
  }
`;var Me=globalThis;function ke(){return Me.document?.visibilityState==="hidden"}function rn(t){return Me.document?.addEventListener("visibilitychange",t),()=>Me.document?.removeEventListener("visibilitychange",t)}async function q(){for(;ke();)await new Promise(t=>{let e=rn(()=>{e(),t()})})}function Zl({signal:t}){let e=0,n,r=()=>e+(n===void 0?0:performance.now()-n),o=()=>{e=r(),n=ke()?void 0:performance.now()};return o(),t.aborted||t.addEventListener("abort",rn(o)),r}function Kl(t){if(Me.document===void 0)return()=>{};let e=()=>{ke()||t()};Me.addEventListener?.("online",t),Me.addEventListener?.("pageshow",t);let n=rn(e);return()=>{Me.removeEventListener?.("online",t),Me.removeEventListener?.("pageshow",t),n()}}function Xl(t){return[...performance.getEntriesByType("navigation"),...performance.getEntriesByType("resource")].some(({name:n,nextHopProtocol:r})=>n.startsWith(`${t}/`)&&/^h[23]/.test(r))}var pe=class{#e=new Set;get count(){return this.#e.size}add(e){return this.#e.add(e),()=>this.#e.delete(e)}notify(){for(let e of this.#e)e()}};var Ms=class{#e=new pe;#t;add(e){let n=this.#e.add(e);return this.#t??=setInterval(()=>{ke()||this.#e.notify()},1e3),()=>{n(),!(this.#e.count>0)&&(clearInterval(this.#t),this.#t=void 0)}}},me=new Ms;var fe=class extends Y{static properties={store:{attribute:!1}};#e;#t;#n;connectedCallback(){super.connectedCallback(),this.#n=me.add(()=>{this.store?.isMoving&&this.requestUpdate()}),this.#r()}disconnectedCallback(){super.disconnectedCallback(),this.#n?.(),this.#t?.(),this.#e=void 0}willUpdate(e){super.willUpdate(e);let n=e.get("store");n!==void 0&&n!==this.store&&this.forget(),this.isConnected&&this.#r()}forget(){}changed(){this.requestUpdate()}#r(){this.store!==this.#e&&(this.#t?.(),this.#e=this.store,this.#t=this.store?.subscribe(()=>{this.changed()}))}};var dm=[[0,"at once, by force"],[10,"10 seconds"],[30,"30 seconds"],[120,"2 minutes"],[600,"10 minutes"]],um=4096,ur=class extends fe{static properties={error:{state:!0},busy:{state:!0}};static styles=[V,dr];#e={};constructor(){super(),this.error="",this.busy=!1}open(){this.#e={},this.busy=!1,this.error="",this.#n?.showModal()}forget(){this.#n?.close()}render(){let e=this.store?.job,n=e&&A(e)?C(e.state).word:"";return f`<dialog
      aria-labelledby="title"
      @close=${()=>{this.#e={},this.busy=!1}}
    >
      <form method="dialog" @submit=${this.#t}>
        <h2 id="title">Cancel this job?</h2>
        <p class="muted">
          <span class="foreign">${y(e?.kind??"")}</span>
          <span class="foreign mono">${e?.jobId}</span> and its children will stop.
        </p>
        <label for="reason">Reason</label>
        <textarea
          id="reason"
          rows="2"
          maxlength=${um}
          placeholder="for whoever looks at this later"
        ></textarea>
        <label for="grace">Time to stop cleanly</label>
        <select id="grace">
          ${dm.map(([r,o])=>f`<option value=${r} ?selected=${r===30}>${o}</option>`)}
        </select>
        ${n?f`<p role="alert">It has ended meanwhile: ${n}.</p>`:h}
        ${this.error?f`<p class="failed" role="alert">${this.error}</p>`:h}
        <div class="actions">
          <button
            type="button"
            @click=${()=>{this.#n?.close()}}
          >
            ${n?"Close":"Keep it running"}
          </button>
          <button type="submit" class="danger" ?disabled=${this.busy||n!==""}>Cancel the job</button>
        </div>
      </form>
    </dialog>`}#t=async e=>{e.preventDefault();let n=this.renderRoot.querySelector("textarea")?.value??"",r=Number(this.renderRoot.querySelector("select")?.value??30),o=this.#e;this.busy=!0;let s="";try{await this.store?.cancel(n,r)}catch(i){s=i instanceof Error?i.message:String(i)}o===this.#e&&(this.busy=!1,this.error=s,s||this.#n?.close())};get#n(){return this.renderRoot.querySelector("dialog")}};var pr={waiting:P`<circle cx="8" cy="8" r="5" fill="none" stroke="currentColor" stroke-width="1.6"/>`,running:P`<path d="M5 3.2v9.6L13 8z" fill="currentColor"/>`,stopping:P`<rect x="4" y="4" width="8" height="8" rx="1" fill="currentColor"/>`,succeeded:P`<path d="M3 8.6l3.2 3.2L13 5" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"/>`,failed:P`<path d="M4 4l8 8M12 4l-8 8" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round"/>`,cancelled:P`<circle cx="8" cy="8" r="5.4" fill="none" stroke="currentColor" stroke-width="1.8"/><path d="M4.4 11.6l7.2-7.2" stroke="currentColor" stroke-width="1.8"/>`,lost:P`<path d="M5.4 6a2.7 2.7 0 1 1 3.7 2.6c-.8.3-1.1.8-1.1 1.6" fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round"/><circle cx="8" cy="13" r="1.2" fill="currentColor"/>`,skipped:P`<path d="M4 8h8" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>`},pm={full:P`<circle cx="8" cy="8" r="4.5" fill="currentColor"/>`,half:P`<circle cx="8" cy="8" r="4.5" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M8 3.5a4.5 4.5 0 0 0 0 9z" fill="currentColor"/>`,empty:pr.waiting,cross:pr.failed,turned:P`<path d="M12.5 8A4.5 4.5 0 1 1 8 3.5h3M9 1.5l2.2 2L9 5.6" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"/>`,done:pr.succeeded};function D(t){return mr(pr[t],`icon ${t}`)}function jl(t){return mr(pm[t],"icon")}function Hl(){return mr(P`<rect x="5.5" y="5.5" width="8" height="8" rx="1.5" fill="none" stroke="currentColor" stroke-width="1.4"/><path d="M10.5 5.500V4A1.500 1.500 0 0 0 9 2.500H4A1.500 1.500 0 0 0 2.500 4v5A1.500 1.500 0 0 0 4 10.500h1.500" fill="none" stroke="currentColor" stroke-width="1.4"/>`,"icon")}function Js(t){return mr(P`<path d=${t?"M4 6l4 4 4-4":"M6 4l4 4-4 4"} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"/>`,"icon fold")}function mr(t,e){return f`<svg class=${e} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
    ${t}
  </svg>`}function zl(t){return f`<table part="artifacts">
    <thead>
      <tr>
        <th scope="col">name</th>
        <th scope="col" class="number">size</th>
        <th scope="col">type</th>
        <th scope="col">where</th>
      </tr>
    </thead>
    <tbody>
      ${t.map(e=>f`<tr>
            <td class="name"><span class="foreign">${y(e.name)}</span></td>
            <td class="number">${e.sizeBytes?Ls(Number(e.sizeBytes)):""}</td>
            <td class="type muted"><span class="foreign">${y(e.mediaType)}</span></td>
            <td class="foreign mono own-line">
              ${mm(e.uri)}<milepost-copy
                .text=${e.uri}
                .label=${`copy where ${y(e.name,60)} is`}
              ></milepost-copy>
              ${e.sha256?f`<span class="muted" title="SHA-256">${e.sha256.slice(0,12)}…</span>`:h}
            </td>
          </tr>`)}
    </tbody>
  </table>`}function mm(t){return/^https?:\/\//i.test(t)?f`<a href=${t} rel="noopener noreferrer nofollow" target="_blank">${de(t)}</a>`:de(t)}function fr(t,e){let n=JSON.stringify(t,(r,o)=>typeof o=="bigint"?o.toString():o,2);return f`<div class="json">
    <milepost-copy .text=${n} .label=${`copy the ${e}`}></milepost-copy>
    <pre class="foreign mono" tabindex="0" aria-label=${e}>${de(n)}</pre>
  </div>`}function Ql(t){return fr(as(Kt,t),"job as JSON")}function ql(t,e){return f`<table part="attempts">
    <thead>
      <tr>
        <th scope="col" class="number">attempt</th>
        <th scope="col">outcome</th>
        <th scope="col" class="number">waited</th>
        <th scope="col" class="number">ran</th>
        <th scope="col">started</th>
        <th scope="col">worker</th>
        <th scope="col">why it ended</th>
      </tr>
    </thead>
    <tbody>
      ${t.map(n=>f`<tr>
            <td class="number" data-label="attempt">${n.number}</td>
            <td>${n.outcome||"running"}</td>
            <td class="number" data-label="waited">${T((n.start-n.queued)/1e3)}</td>
            <td class="number" data-label="ran">
              ${n.end===void 0?n.outcome?"":T((e-n.start)/1e3):X((n.end-n.start)/1e3)}
            </td>
            <td data-label="started" title=${W(n.start)}>${Q(n.start)}</td>
            <td class="foreign mono" data-label="by">${y(n.workerId,128)}</td>
            <td class="foreign own-line">
              ${n.failure?f`${y(n.failure.message,500)} <span class="muted mono">${n.failure.code}</span>`:h}
            </td>
          </tr>`)}
    </tbody>
  </table>`}function ec(t,e,n,r){return f`<table part="children">
      <thead>
        <tr>
          <th scope="col">state</th>
          <th scope="col">kind</th>
          <th scope="col">job</th>
          <th scope="col" class="number">took</th>
        </tr>
      </thead>
      <tbody>
        ${t.map(o=>{let{word:s,shape:i}=C(o.state),a=v(o.startTime);return f`<tr>
            <td class=${i}>${D(i)} ${s}</td>
            <td class="foreign">${y(o.kind,64)}</td>
            <td class="mono"><a class="foreign" href=${n(o.jobId)}>${o.jobId}</a></td>
            <td class="number">
              ${a===void 0?"":T(((v(o.endTime)??r)-a)/1e3)}
            </td>
          </tr>`})}
      </tbody>
    </table>
    ${e?f`<p class="muted">There are more children; the list shows all of them.</p>`:h}`}function tc(){try{new Headers}catch{throw new Error("connect-web requires the fetch API. Are you running on an old version of Node.js? Node.js is not supported in Connect for Web - please stay tuned for Connect for Node.")}}var on=function(t){return this instanceof on?(this.v=t,this):new on(t)},fm=function(t,e,n){if(!Symbol.asyncIterator)throw new TypeError("Symbol.asyncIterator is not defined.");var r=n.apply(t,e||[]),o,s=[];return o=Object.create((typeof AsyncIterator=="function"?AsyncIterator:Object).prototype),a("next"),a("throw"),a("return",i),o[Symbol.asyncIterator]=function(){return this},o;function i(p){return function(g){return Promise.resolve(g).then(p,m)}}function a(p,g){r[p]&&(o[p]=function(E){return new Promise(function(x,M){s.push([p,E,x,M])>1||l(p,E)})},g&&(o[p]=g(o[p])))}function l(p,g){try{c(r[p](g))}catch(E){b(s[0][3],E)}}function c(p){p.value instanceof on?Promise.resolve(p.value.v).then(d,m):b(s[0][2],p)}function d(p){l("next",p)}function m(p){l("throw",p)}function b(p,g){p(g),s.shift(),s.length&&l(s[0][0],s[0][1])}},nc={redirect:"error"};function Gs(t){var e;tc();let n=(e=t.useBinaryFormat)!==null&&e!==void 0?e:!1;return{async unary(r,o,s,i,a,l){let{serialize:c,parse:d}=er(r,n,t.jsonOptions,t.binaryOptions);return s=s===void 0?t.defaultTimeoutMs:s<=0?void 0:s,await Is({interceptors:t.interceptors,signal:o,timeoutMs:s,req:{stream:!1,service:r.parent,method:r,requestMethod:"POST",url:Qn(t.baseUrl,r),header:sr(r.methodKind,n,s,i,!1),contextValues:l??zn(),message:a},next:async m=>{var b;let p=t.useHttpGet===!0&&r.idempotency===Dn.NO_SIDE_EFFECTS,g=null;p?m=xs(m,c(m.message),n):g=c(m.message);let x=await((b=t.fetch)!==null&&b!==void 0?b:globalThis.fetch)(m.url,Object.assign(Object.assign({},nc),{method:m.requestMethod,headers:m.header,signal:m.signal,body:g})),{isUnaryError:M,unaryError:et}=ir(r.methodKind,n,x.status,x.headers);if(M)throw Qt(await x.json(),ms(...rr(x.headers)),et);let[S,re]=rr(x.headers);return{stream:!1,service:r.parent,method:r,header:S,message:n?d(new Uint8Array(await x.arrayBuffer())):ds(r.output,await x.json(),qn(t.jsonOptions)),trailer:re}}})},async stream(r,o,s,i,a,l){let{serialize:c,parse:d}=er(r,n,t.jsonOptions,t.binaryOptions);function m(p,g,E,x){return fm(this,arguments,function*(){let et=hs(p).getReader(),S=!1;for(;;){let re=yield on(et.read());if(re.done)break;let{flags:Rt,data:kt}=re.value;if((Rt&jn)===jn)throw new R("protocol error: received unsupported compressed output",w.Internal);if((Rt&tr)===tr){S=!0;let mo=Es(kt);if(mo.error){let fn=mo.error;throw E.forEach((fo,Xd)=>{fn.metadata.append(Xd,fo)}),fn}mo.metadata.forEach((fn,fo)=>g.set(fo,fn));continue}yield yield on(d(kt))}if("throwIfAborted"in x&&x.throwIfAborted(),!S)throw"missing EndStreamResponse"})}async function b(p){if(r.methodKind!="server_streaming")throw"The fetch API does not support streaming request bodies";let g=await p[Symbol.asyncIterator]().next();if(g.done==!0)throw"missing request message";return gs(0,c(g.value))}return s=s===void 0?t.defaultTimeoutMs:s<=0?void 0:s,await As({interceptors:t.interceptors,timeoutMs:s,signal:o,req:{stream:!0,service:r.parent,method:r,requestMethod:"POST",url:Qn(t.baseUrl,r),header:sr(r.methodKind,n,s,i,!1),contextValues:l??zn(),message:a},next:async p=>{var g;let x=await((g=t.fetch)!==null&&g!==void 0?g:globalThis.fetch)(p.url,Object.assign(Object.assign({},nc),{method:p.requestMethod,headers:p.header,signal:p.signal,body:await b(p.message)}));if(ir(r.methodKind,n,x.status,x.headers),x.body===null)throw"missing response body";let M=new Headers;return Object.assign(Object.assign({},p),{header:x.headers,trailer:M,message:m(x.body,M,x.headers,p.signal)})}})}}}var rc=3e4,hr=class{#e;#t;#n;constructor(e=""){typeof e=="function"?this.#e=e:this.#t=e}async get(){return this.#t!==void 0?this.#t:(this.#n??=this.#r().finally(()=>this.#n=void 0),this.#n)}async renew(e){return this.#e===void 0?!1:(this.#t===e&&(this.#t=void 0),await this.get()!==e)}async#r(){let e,n=new Promise((r,o)=>{e=setTimeout(()=>{o(new _e(`nothing was returned within ${rc/1e3} s`))},rc)});try{return this.#t=await Promise.race([this.#e?.()??"",n]),this.#t}catch(r){throw r instanceof K?r:new _e(String(r),{cause:r})}finally{clearTimeout(e)}}},gr=class{#e;#t="";#n=!1;constructor(e){this.#e=e}async headers(){return this.#t=await this.#e.get(),this.#t===""?{}:{Authorization:`Bearer ${this.#t}`}}accepted(){this.#n=!1}async renew(e){return this.#n||!z(e,"TOKEN_EXPIRED","UNAUTHENTICATED")?!1:(this.#n=!0,this.#e.renew(this.#t))}};function oc(){let t=Date.now(),e=performance.now();return()=>Math.max(Date.now()-t,performance.now()-e)}function Us(t,e){if(t===1/0)return()=>{};let n=oc(),r=t,o,s=()=>{let i=Math.min(Math.max(r-n(),0),5e3),a=oc();o=setTimeout(()=>{n()<r?s():r===t&&a()-i>=2e3?(r=n()+2e3,s()):e()},i)};return s(),()=>{clearTimeout(o)}}function sc(t,e){return new Promise(n=>{if(e.aborted||t<=0){n();return}let r=()=>{o(),e.removeEventListener("abort",r),n()},o=Us(t,r);e.addEventListener("abort",r)})}async function yt(t,e){if(e===void 0)return t;let n=new AbortController,r=new Promise((o,s)=>{let i=()=>{s(e.reason)};e.addEventListener("abort",i,{signal:n.signal}),e.aborted&&i()});try{return await Promise.race([t,r])}finally{n.abort()}}var br=class{service;admin;timeoutMs;#e;constructor(e,n,r){this.service=Hn(qa,e),this.admin=Hn(Za,e),this.timeoutMs=r,this.#e=n}credential(){return new gr(this.#e)}async call(e,{signal:n,timeoutMs:r=this.timeoutMs}={}){let o=this.credential();for(;;){n?.throwIfAborted();try{let s=await yt(o.headers(),n);return await e({headers:s,signal:n,timeoutMs:r})}catch(s){n?.throwIfAborted();let i=$e(s);if(!await yt(o.renew(i),n))throw i}}}};var sn=class{#e=[];add(e){if(!Number.isFinite(e))return;let n=0,r=e;for(let o of this.#e){let[s,i]=Math.abs(r)<Math.abs(o)?[o,r]:[r,o];r=s+i;let a=i-(r-s);a!==0&&(this.#e[n++]=a)}this.#e.length=n,r!==0&&this.#e.push(r)}get value(){let e=this.#e,n=e.length-1,r=e[n]??0,o=0;for(;n>0&&o===0;){let i=r,a=e[--n]??0;r=i+a,o=a-(r-i)}let s=e[n-1]??0;if(o<0&&s<0||o>0&&s>0){let i=o*2,a=r+i;if(i===a-r)return a}return r}};function ze(t){return t.state===1||t.state===2}var Os={weight:0,done:0,unplanned:!1,unknown:!1};function ic(t,e){let n=t.weight??1;if(!(n>0))return Os;let r=t.state===3||t.state===5,o=!t.planned;return{weight:n,done:n*(r?1:t.fraction),unplanned:o,unknown:o||e&&ze(t)&&!t.fractionKnown}}var yr=class{#e=new sn;#t=new sn;#n=0;#r=0;#o=0;replace(e,n){e.weight!==n.weight&&(this.#e.add(n.weight),this.#e.add(-e.weight)),e.done!==n.done&&(this.#t.add(n.done),this.#t.add(-e.done)),this.#n+=+(n.weight>0)-+(e.weight>0),this.#r+=Number(n.unplanned)-Number(e.unplanned),this.#o+=Number(n.unknown)-Number(e.unknown)}get known(){return this.#n>0&&this.#o===0}get mean(){if(this.#n===0)return 0;let e=Math.min(this.#t.value/this.#e.value,1);return this.#r===0?e:e*this.#n/(this.#n+1)}};var vr=class{#e=[];#t=new Map;#n=new Map;#r=new Map;#o=new Map;constructor(e){this.reset(e)}get all(){return this.#e}get known(){return this.#i("").known}reset(e){this.#e=[...e],this.#t=new Map(e.map((n,r)=>[n.stageId,r])),this.#n=new Map;for(let n of e)this.#s(n);this.#r.clear(),this.#o.clear()}get(e){let n=this.#t.get(e);return n===void 0?void 0:this.#e[n]}isParent(e){return this.#n.has(e)}add(e){this.#t.set(e.stageId,this.#e.length),this.#e.push(e),this.#s(e),this.#a(e)}update(e,n){let r={...e,...n},o=this.#t.get(e.stageId);return o!==void 0&&(this.#e[o]=r,this.#a(r)),r}isKnown(e){return e.state===3?!0:this.isParent(e.stageId)?this.#i(e.stageId).known:e.total!==void 0}*around(e){let n=this.get(e.parentStageId);for(let r=this.#e.length;n!==void 0&&r>0;r--)yield n,n=this.get(n.parentStageId)}within(e){let n=new Set(this.#n.get(e.stageId));for(let r of n)for(let o of this.#n.get(r)??[])n.add(o);return[...n].flatMap(r=>this.get(r)??[])}carryUp(e){for(let n of this.around(e)){let r=this.#i(n.stageId).mean;r>n.fraction&&this.update(n,{fraction:r})}}carryKnownUp(e){for(let n of this.around(e)){if(!ze(n))return;this.update(n,{fractionKnown:this.isKnown(n)})}}refreshKnown(){let e=this.#e.flatMap(n=>this.#t.has(n.parentStageId)?[]:n.stageId);for(let n of e)e.push(...this.#n.get(n)??[]);for(let n of e.reverse()){let r=this.get(n);r!==void 0&&ze(r)&&this.update(r,{fractionKnown:this.isKnown(r)})}}#s(e){let n=this.#n.get(e.parentStageId);n===void 0?this.#n.set(e.parentStageId,[e.stageId]):n.push(e.stageId)}#i(e){let n=this.#r.get(e);if(n===void 0){n=new yr,this.#r.set(e,n);for(let r of this.#n.get(e)??[]){let o=this.get(r);o!==void 0&&this.#a(o)}}return n}#a(e){let n=this.#r.get(e.parentStageId);if(n!==void 0){let r=ic(e,this.isParent(e.stageId));n.replace(this.#o.get(e.stageId)??Os,r),this.#o.set(e.stageId,r)}}};var hm="RELEASED",te=class{#e;#t;#n;#r;#o;constructor(e){this.#e=e??I(Kt),this.#t=new vr(this.#e.stages),this.#n=[...this.#e.artifacts],this.#r=new Map(this.#n.map(({name:n},r)=>[n,r])),this.#o=e}get job(){return this.#o??={...this.#e,stages:[...this.#t.all],artifacts:[...this.#n]},this.#o}get lastSequence(){return this.#e.lastSequence}apply(e){e.sequence<=this.#e.lastSequence||(this.#o=void 0,this.#s(e),this.#i({lastSequence:e.sequence}))}#s(e){let{payload:n,time:r}=e;switch(n.case){case"jobSubmitted":this.#d(n.value.job??I(Kt));break;case"jobStarted":this.#p(e,n.value.workerId,n.value.instance);break;case"stagesPlanned":this.#m(n.value);break;case"stageStarted":this.#b(e,n.value.stage??I(Vn));break;case"stageProgressed":this.#c(n.value);break;case"stageEnded":this.#v(e,n.value);break;case"artifactAdded":n.value.artifact!==void 0&&this.#g(n.value.artifact);break;case"cancelRequested":this.#i({state:3,cancellation:n.value.cancellation??I(ss)});break;case"cancelAcknowledged":this.#i({cancellation:{...this.#a,acknowledgeTime:r}});break;case"attemptEnded":{let{failure:o,retryTime:s}=n.value,i=o?.code===hm;this.#i({state:1,failure:o??I(Pa),message:o?.message??"",retryTime:s??this.#e.retryTime,failedAttempts:this.#e.failedAttempts+(i?0:1)});let a=i?6:4;this.#l(l=>l.state===2?{...l,state:a,endTime:r}:l);break}case"jobEnded":this.#E(e,n.value);return;case"childrenProgressed":{let{total:o,jobFraction:s}=n.value;this.#i({fraction:s,fractionKnown:o>0&&o<=this.#e.plannedChildren});break}case"logWritten":case"custom":case void 0:break;default:}this.#t.all.length>0&&this.#i({fractionKnown:this.#t.known})}#i(e){this.#e={...this.#e,...e}}get#a(){return this.#e.cancellation??I(ss)}#l(e){this.#u(this.#t.all.map(e))}#u(e){this.#t.reset(e),this.#t.refreshKnown(),this.#i({fractionKnown:this.#t.known})}#d(e){this.#e=e,this.#n=[...e.artifacts],this.#r=new Map(e.artifacts.map(({name:n},r)=>[n,r])),this.#u(e.stages.map(n=>({...n,planned:!0})))}#p(e,n,r){this.#i({state:2,attempt:e.attempt,workerId:n,workerInstance:r,startTime:e.time,firstStartTime:this.#e.firstStartTime??e.time,fraction:0,message:"",failure:void 0,retryTime:void 0}),this.#l(o=>({...o,state:1,current:0,fraction:0,message:"",failure:void 0,startTime:void 0,endTime:void 0}))}#m(e){let n=this.#f(),r=new Map(n.map(({stageId:i,parentStageId:a})=>[i,a])),o=new Set(r.keys()),s=new Set([...r.values()].filter(i=>!o.has(i)));for(let{stageId:i,parentStageId:a,title:l,weight:c,total:d,unit:m}of e.stages)if(!o.has(i)){let p=s.has(i)&&lc(r,a,i)?"":a;r.set(i,p);let g=1;n.push(I(Vn,{stageId:i,parentStageId:p,title:l,weight:c,total:d,unit:m,state:g}))}e.plannedChildren>0&&this.#i({plannedChildren:e.plannedChildren}),this.#u(n.map(i=>({...i,planned:!0})))}#f(){let e=new Set;for(let n of this.#t.all)if(n.state!==1&&!e.has(n.stageId)){e.add(n.stageId);for(let r of this.#t.around(n)){if(e.has(r.stageId))break;e.add(r.stageId)}}return this.#t.all.filter(({stageId:n})=>e.has(n))}#b(e,n){let r=this.#t.get(n.stageId);if(r===void 0){let o=n.parentStageId;if(this.#t.isParent(n.stageId)){let s=new Map(this.#t.all.map(i=>[i.stageId,i.parentStageId]));o=lc(s,o,n.stageId)?"":o}r=I(Vn,{stageId:n.stageId,parentStageId:o}),this.#t.add(r)}r=this.#t.update(r,{title:n.title||r.title,weight:n.weight??r.weight,total:n.total??r.total,unit:n.unit||r.unit,message:n.message||r.message,state:2,startTime:e.time}),this.#t.update(r,{fractionKnown:this.#t.isKnown(r)}),this.#t.carryKnownUp(r)}#c(e){this.#i({fraction:e.jobFraction});let n=this.#t.get(e.stageId);n!==void 0&&(n=this.#t.update(n,{current:e.current,total:e.total??n.total,unit:e.unit||n.unit,message:e.message||n.message,fraction:e.fraction}),e.total!==void 0&&ze(n)&&(n=this.#t.update(n,{fractionKnown:this.#t.isKnown(n)})),this.#t.carryUp(n))}#v(e,n){this.#i({fraction:n.jobFraction});let r=this.#t.get(n.stageId);r!==void 0&&(r=this.#t.update(r,{...ac(r,n.state),message:n.message||r.message,failure:n.failure??r.failure,endTime:e.time}),this.#y(this.#t.within(r),n.state,e),this.#t.carryUp(r),this.#t.carryKnownUp(r))}#y(e,n,r){for(let o of e)if(ze(o)){let s=o.state===2||n===6;this.#t.update(o,{...ac(o,s?n:5),endTime:r.time})}}#g(e){let n=this.#r.get(e.name)??this.#n.length;this.#r.set(e.name,n),this.#n[n]=e}#E(e,n){let r=n.state===5||n.state===7,o=n.state===4;this.#i({failedAttempts:this.#e.failedAttempts+(r&&this.#e.state!==1?1:0),state:n.state,message:n.message,endTime:e.time,retryTime:void 0,failure:n.failure,result:n.result??this.#e.result,cancellation:n.forced?{...this.#a,forced:!0}:this.#e.cancellation,fraction:o?1:this.#e.fraction,fractionKnown:o||this.#e.fractionKnown}),this.#y([...this.#t.all],gm(n.state),e)}};function ac(t,e){return e===3?{state:e,fraction:1,fractionKnown:!0}:{state:e,fraction:t.fraction}}function gm(t){return t===4?3:t===5||t===7?4:6}function lc(t,e,n){let r=e;for(let o=t.size;r!==""&&r!==n&&o>=0;o--)r=t.get(r)??"";return r!==""&&r===n}var Er=class{#e;#t=new te;constructor(e){this.#e=e}get connection(){return this.#e.connection}get waiting(){return this.#e.waiting}async*[Symbol.asyncIterator](){for await(let e of this.#e.batches()){for(let r of e)r.type==="snapshot"?this.#t=new te(r.job):r.type==="event"&&this.#t.apply(r.event);let n=e.length>0&&e.every(({type:r})=>r==="gap");this.#t.lastSequence>0n&&!n&&(yield{...this.#t.job,estimate:this.#e.estimate})}}close(){this.#e.close()}};var bm=new Set([4,5,6,7]);function wr(t){return bm.has(t.state)}var xr=1e4,Sr=class{#e;#t;delivery;constructor({payloads:e=[],stages:n=[],latestProgress:r=!1}){this.#e=new Set(e),this.#t=n,this.delivery=r?2:0}get isFiltered(){return this.#e.size>0||this.#t.length>0||this.delivery===2}filter(...e){if(this.#e.size===0&&this.#t.length===0)return;let n=this.#e.size===0?[]:[...new Set([...this.#e,...e])];return I(Ha,{payloads:n.map(ym),stageIds:[...this.#t]})}includes(e){return this.#e.size===0||this.#e.has(e.payload.case??"")}};function ym(t){return t.replace(/[A-Z]/g,e=>`_${e.toLowerCase()}`)}function vm(t){return z(t,"SEQUENCE_TRIMMED")?{type:"gap",why:"trimmed",error:t}:z(t,"EPOCH_CHANGED")?{type:"gap",why:"restarted",error:t}:void 0}var vt=class{epoch;head=0n;caughtUp=!1;opened=!1;reachedHead=!1;clockOffsetMs;storeAway=!1;start;selection;options;constructor(e){let{after:n,start:r="beginning",epoch:o=""}=e;if(n!==void 0&&e.start!==void 0)throw new TypeError("A watch starts after a cursor, or by `start`: give one of them.");this.options=e,this.selection=new Sr(e),this.start=r==="beginning"?"after":r,this.epoch=o}get complete(){return this.reachedHead&&!this.follows}get follows(){return this.options.follow??!0}newStream(e,n,r){return this.opened=this.reachedHead=!1,{start:{after:r===void 0?{case:void 0}:{case:n,value:r},snapshot:{case:"fromSnapshot",value:!0},latest:{case:"fromLatest",value:!0}}[this.start],epoch:this.epoch,delivery:this.selection.delivery,noFollow:e||!this.follows,statusInterval:en(this.options.statusIntervalMs??(e&&this.follows?xr:void 0))}}checkOpened(e){if(!this.opened)throw new Z(`The stream began with ${e??"an unknown frame"}, not with opened.`)}gapInstead(e){return this.options.onGap==="throw"?void 0:vm(e)}noteOpened(e){this.opened=!0,e.serverTime!==void 0&&(this.clockOffsetMs=ut(e.serverTime)-Date.now()),e.epoch!==this.epoch&&(this.epoch=e.epoch,this.head=0n),this.raiseHead(e.headSequence)}raiseHead(e){e>this.head&&(this.head=e)}};var Em=new Set(["jobStarted","attemptEnded","cancelRequested","jobEnded"]),Ir=class extends vt{sequence;ended=!1;estimate;waiting;#e;#t="";#n=0n;constructor(e,n){super(n),this.#e=e,this.sequence=n.after??0n}request(e){return I(za,{jobId:this.#e,filter:this.selection.filter("jobEnded"),...this.newStream(e,"afterSequence",this.sequence),...this.start==="snapshot"?{epoch:""}:{}})}get resumeAfter(){return this.sequence}get complete(){return this.ended||super.complete}get acceptsJobs(){return this.options.onGap!=="throw"}accept(e){let{frame:n}=e;if(n.case==="opened")return this.#r(n.value),[];switch(this.checkOpened(n.case),n.case){case"events":return this.#s(n.value.events);case"snapshot":return this.start!=="snapshot"||n.value.job===void 0?[]:(this.epoch=this.#t,this.#o(n.value.job));case"caughtUp":return this.#a(n.value.sequence),this.caughtUp=this.reachedHead=!0,[];case"status":return this.#i(n.value),[];case void 0:return[]}}acceptPresent(e,n){this.estimate=e?.estimate,this.waiting=n}acceptJob(e){let n=this.start!=="after"||e.epoch!==this.epoch||e.lastSequence>this.sequence,r=this.start!=="snapshot"&&this.epoch!==""&&e.epoch!==this.epoch;if(this.epoch=e.epoch,!n)return[];let o=this.#o(e),s=new Z("The store was replaced.");return r?[{type:"gap",why:"restarted",error:s},...o]:o}recover(e){let n=this.gapInstead(e);if(!(n===void 0||this.start==="snapshot"))return this.start="snapshot",this.head=0n,[n]}#r(e){if(this.start==="after"&&e.cursor!==this.sequence)throw new Z(`The stream opened after ${e.cursor}, not after ${this.sequence}.`);this.start==="latest"&&(this.start="after",this.sequence=e.cursor);let n=this.epoch;this.noteOpened(e),this.#t=e.epoch,this.start==="snapshot"&&(this.epoch=n),this.#n=e.thinnedSequence}#o(e){return this.start="after",this.sequence=e.lastSequence,this.raiseHead(e.lastSequence),this.estimate=e.estimate,e.state!==1&&(this.waiting=void 0),wr(e)&&(this.ended=this.caughtUp=!0),[{type:"snapshot",job:e}]}#s(e){let n=[];for(let r of e){if(this.ended)throw new Z(`Event ${r.sequence} came after the end of the job.`);if(this.start==="snapshot")throw new Z("The stream sent events, but no snapshot.");let{sequence:o}=r;if(o!==this.sequence+1n&&!this.#l(o-1n))throw new Z(`Event ${o} came after ${this.sequence}.`);this.sequence=o,Em.has(r.payload.case)&&(this.estimate=void 0),(r.payload.case==="jobStarted"||r.payload.case==="jobEnded")&&(this.waiting=void 0),r.payload.case==="jobEnded"&&(this.ended=this.caughtUp=!0),this.selection.includes(r)&&n.push({type:"event",event:r})}return this.raiseHead(this.sequence),n}#i(e){this.#a(e.cursor),this.raiseHead(e.headSequence),this.estimate=e.estimate,this.waiting=e.waiting,this.storeAway=e.storeAway}#a(e){if(e>this.sequence){if(!this.#l(e))throw new Z(`The stream stands at ${e}, but has sent only up to ${this.sequence}.`);this.sequence=e}this.raiseHead(e)}#l(e){return this.sequence<=e&&(this.selection.isFiltered||e<=this.#n)}};var Ar=class{dueAt=0;#e;#t=new AbortController;constructor(e){this.#e=e}isPaused(){return this.#e&&ke()}listen(e,{signal:n}){if(n.aborted)return;let r=Kl(()=>{this.dueAt=0,this.wake()}),o=rn(()=>{this.isPaused()&&e()}),s=()=>{r(),o()};n.addEventListener("abort",s)}waitUntilDue(){return this.#n(this.dueAt-Date.now())}waitForWake(){return this.#n(1/0)}wake(){this.#t.abort()}async#n(e){e>0&&(this.#t=new AbortController,await sc(e,this.#t.signal))}};var Nr=class{fruitless=0;#e;#t;constructor(e,n=Math.random){this.#e=e,this.#t=n}next(e=0){let{initialMs:n,maximumMs:r}=this.#e,o=Math.min(n*2**this.fruitless,r);return this.fruitless++,e+o/2*(1+this.#t())}reset(){this.fruitless=0}};var wm=["received","head"],Rr=class{hasConnected=!1;#e=Date.now();#t;#n;#r;#o;#s;#i;constructor(e,n,r){this.#t=e,this.#n=n,this.#r=r,this.#i=this.#l("connecting")}get current(){return this.#i}heard(){this.#e=Date.now()}advanced(e,n){this.#a(e);let{isCalling:r,isPolling:o,blocked:s}=n;!this.#t.opened&&!r||(this.#t.reachedHead||r?(this.#s=void 0,this.set(o?"polling":"live",s)):this.#i.state!=="polling"&&this.set("catching-up"))}lost(e,n,r){this.#a(e),this.becomeStale(n instanceof ce?this.#e:Date.now()),this.set(this.hasConnected?"reconnecting":"connecting",n,r)}becomeStale(e){this.hasConnected&&(this.#s??=e)}set(e,n,r){let o=this.#i;if(o.state==="ended")return;let s=this.#l(e,n,r);this.#i=s,Object.keys(s).some(a=>o[a]!==s[a]&&(e==="catching-up"||!wm.includes(a)))&&this.#r(s)}#a(e){e.some(n=>n.type==="gap"&&n.why==="restarted")&&(this.#o=Date.now())}#l(e,n,r){return{state:e,received:this.#t.resumeAfter,head:this.#t.head,retryAt:e==="reconnecting"?r:void 0,error:n,staleSince:this.#s,restartedAt:this.#o,storeAway:this.#t.storeAway,fruitless:this.#n.fruitless}}};var Sm=500,Ds=Symbol("end of the stream"),Qe=Symbol("the stream was cancelled"),kr=class{#e=new AbortController;#t;#n;get isOpen(){return this.#t!==void 0}open(e){this.#e=new AbortController,this.#t=e(this.#e.signal)[Symbol.asyncIterator]()}async read(e){let n=this.#t;if(n===void 0)return Qe;let r=()=>{},o=new Promise((i,a)=>{this.#n=()=>{i(Qe)},r=Us(e,()=>{a(new ce(e))})}),s=n.next();try{let i=await Promise.race([s,o]);return this.#t!==n||i===Qe?Qe:i.done===!0?(this.#t=void 0,Ds):i.value}catch(i){if(this.#t!==n)return Qe;throw $e(i)}finally{r(),s.catch(()=>{})}}async drain(){try{for(;typeof await this.read(Sm)!="symbol";);}catch{}this.cancel()}cancel(){this.#t!==void 0&&(this.#t=void 0,this.#e.abort()),this.#n?.()}};var Tr=class{mode="stream";blockedStreams=0;#e=0;#t=0;#n;constructor(e){this.#n=e}streamOpened(){this.#e=0,this.mode==="stream"&&(this.blockedStreams=0)}streamFailed(e){return this.#e++,e||this.#e>=2}probed(e,n,r){if(!e)return this.mode="stream",this.blockedStreams=0,!1;if(this.blockedStreams++,this.mode==="stream"&&(r||this.blockedStreams>=3))this.mode="replay",this.#t=n;else if(this.mode==="replay")this.mode="call",this.#t=n;else return!1;return this.#e=0,!0}callFailed(){this.mode="stream",this.blockedStreams=0,this.#e=0}retryStream(e){this.mode!=="stream"&&e-this.#t>=this.#n&&(this.mode="stream",this.blockedStreams=2,this.#e=1)}};var xm=6,Im=3,Fs=new ar,Cr=class{isFinite=!1;fallback;#e;#t;#n=0;#r=!1;#o=0;#s=0;constructor(e){this.#e=e,this.fallback=new Tr(e.timing.streamRetryMs)}get isCalling(){return this.fallback.mode==="call"}get isPolling(){return this.isCalling||this.isFinite}get blocked(){return this.fallback.mode==="stream"?void 0:Fs}async prepareStream(e){let n=this.fallback.mode==="stream"&&e;n&&(this.#t??=await this.#e.slots.take()),this.isFinite=!n||this.#t===void 0,this.#o=performance.now()}get openTimeoutMs(){let{timing:e,calls:n}=this.#e;return this.#n===0&&this.fallback.blockedStreams===0?n.timeoutMs:Math.min(Math.max(e.probeMs,Im*this.#s),n.timeoutMs)}suspectConnections(){this.#n=this.#r?xm:0}streamOpened(){this.#s=performance.now()-this.#o,this.#i()}#i(){this.#r=!0,this.#n=0,this.fallback.streamOpened()}giveSlotBack(){this.#t?.(),this.#t=void 0}async check(e,n,r){let{fallback:o}=this;if(e instanceof _e)return!1;if(e instanceof ce&&this.#n>0&&o.blockedStreams===0)return this.#n--,!1;if(e instanceof H&&e.reason!=="UNSPECIFIED")this.#i();else if(o.mode==="call")o.callFailed();else if(o.streamFailed(n)){let s=await this.#a(r);if(o.probed(s,Date.now(),n))return this.giveSlotBack(),!0}return!1}async#a(e){let{timing:n,calls:r}=this.#e;try{return await e(Math.min(n.probeMs,r.timeoutMs)),!0}catch(o){let s=$e(o);if(lr(s,!0))return!1;throw s}}};var Am=2.5,Nm=3e4,Et=class{context;cursor;#e;#t;#n;#r;#o;#s;#i=new kr;#a=new AbortController;#l;#u=()=>0;#d=!1;#p=!1;#m;constructor(e,n,r){let{timing:o,calls:s}=e;this.context=e,this.cursor=n,this.#e=r,this.#t=s.credential(),this.#n=new Nr({initialMs:o.backoffMs,maximumMs:o.maximumBackoffMs}),this.#r=new Cr(e),this.#o=new Rr(n,this.#n,i=>{this.#b(i)}),this.#s=new Ar(r.pauseWhenHidden===!0),this.#l=this.#f()}get epoch(){return this.cursor.epoch}get head(){return this.cursor.head}get caughtUp(){return this.cursor.caughtUp}get clockOffsetMs(){return this.cursor.clockOffsetMs}get connection(){return this.#o.current}batches(){return this.#l}async*[Symbol.asyncIterator](){for await(let e of this.#l)for(let[n,r]of e.entries())this.onYield(r,n===e.length-1),yield r}get closing(){return this.#a.signal}get isPaused(){return this.#s.isPaused()}close(){this.#a.abort(),this.#s.wake(),this.#i.cancel(),this.#r.giveSlotBack(),this.#o.set("ended")}fetchMissing(){return Promise.resolve([])}isNews(){return!1}isComplete(){return!1}hasEnded(){return Promise.resolve(!1)}async*#f(){let{signal:e}=this.#e,n={signal:this.closing},r=()=>{this.close()};e?.addEventListener("abort",r,n);let o=()=>{this.#g()};this.#s.listen(o,n),this.#u=Zl(n);try{for(e?.throwIfAborted(),this.#c()||this.#o.set("connecting");!this.#c();){let s=await this.#v();e?.throwIfAborted();let i=this.isNews(),a=this.#c(),l=this.isComplete()?this.#i.drain().then(r):void 0;(s.length>0||i)&&!a&&(yield s),await l}}finally{this.close()}if(e?.throwIfAborted(),this.#m!==void 0)throw this.#m.error}#b(e){try{this.#e.onConnection?.(e)}catch(n){this.#m??={error:n},this.close()}}#c(){return this.#a.signal.aborted}async#v(){try{return await this.#y()}catch(e){if(this.#c())return[];if(!(e instanceof K))throw e;return this.#I(e)}}async#y(){if(await this.#E(),this.#c()||await this.#s.waitUntilDue(),this.#c()||this.#s.isPaused())return[];let e=await this.fetchMissing();if(e.length>0||this.isPaused)return e;if(!this.#i.isOpen){if(this.#r.fallback.retryStream(Date.now()),this.#r.isCalling)return this.#S();await this.#w()}let n=await this.#i.read(this.#h);if(n===Qe)return[];if(n===Ds)return await this.#x(),[];this.#o.heard();let r=this.cursor.opened,o=this.cursor.accept(n);return!r&&this.cursor.opened&&(this.#t.accepted(),this.#r.streamOpened(),this.#o.hasConnected=!0),(o.length>0||this.cursor.reachedHead)&&(this.#n.reset(),this.#d=!1),this.#o.advanced(o,this.#r),o}#g(){this.#i.cancel(),this.#r.giveSlotBack(),this.#r.suspectConnections(),this.#o.becomeStale(Date.now()),this.#o.set("paused")}async#E(){if(this.#s.isPaused()){for(this.#g();this.#s.isPaused()&&!this.#c();)await this.#s.waitForWake();this.#s.dueAt=0}}async#w(){let e=await yt(this.#t.headers(),this.closing);if(await this.#r.prepareStream(this.#e.follow!==!1),this.#c()||this.isPaused){this.#r.giveSlotBack();return}this.#i.open(n=>this.open(this.#r.isFinite,e,n))}get#h(){let e=this.#e.statusIntervalMs??xr,n=Am*e+this.context.timing.silenceMs;return this.cursor.opened?n:Math.min(n,this.#r.openTimeoutMs)}async#S(){let n=(await this.ask(this.context.calls.timeoutMs))();if(this.#o.heard(),n===void 0)throw Fs;return this.#s.dueAt=Date.now()+this.context.timing.pollMs,this.#o.advanced(n,this.#r),n}async#x(){let{complete:e,reachedHead:n}=this.cursor,r=n&&!(this.#r.isFinite&&this.#p);if(e||r&&await this.hasEnded())this.close();else if(n&&this.#r.isFinite)this.#p=!0,this.#s.dueAt=Date.now()+this.context.timing.pollMs;else throw new Ie("the stream ended before the job did")}async#I(e){let{opened:n}=this.cursor;this.#i.cancel(),e instanceof ce&&(this.context.dropConnection(),n&&this.#r.suspectConnections());let r=this.cursor.recover(e),{renewed:o,cause:s}=await this.#A(e);if(this.#c())return[];let i=Date.now(),{hasConnected:a}=this.#o,{connectTimeoutMs:l=Nm}=this.#e;if(r===void 0&&!o&&!lr(s,a||l===1/0))throw s;let d=0;if((r===void 0||this.#d)&&(d=o?0:this.#n.next(s instanceof H?s.retryDelayMs:0)),this.#s.dueAt=i+d,this.#o.lost(r??[],s,this.#s.dueAt),r!==void 0)return this.#d=!0,r;let m=!a&&this.#u()>=l;if(n||await this.#N(s,m),m&&this.#r.fallback.mode==="stream")throw s;return[]}async#A(e){try{return{renewed:await yt(this.#t.renew(e),this.closing),cause:e}}catch(n){return{renewed:!1,cause:n instanceof K?n:e}}}async#N(e,n){await this.#r.check(e,n,r=>this.ask(r))&&(this.#o.hasConnected=!0,this.#s.dueAt=0,this.#o.set("polling",this.#r.blocked))}};var Lr=class extends Et{jobId;#e;#t;#n=!1;#r;#o;constructor(e,n,r){let o=new Ir(n,r);super(e,o,r),this.jobId=n,this.#e=o.sequence,this.#t=o.epoch}get sequence(){return this.#n?this.#e:this.cursor.sequence}get epoch(){return this.#n?this.#t:this.cursor.epoch}get estimate(){return this.cursor.estimate}get waiting(){return this.cursor.waiting}isNews(){let{estimate:e,waiting:n}=this.cursor,r=!cc(Ya,e,this.#r)||!cc(Xa,n,this.#o);return this.#r=e,this.#o=n,r}isComplete(){return this.cursor.ended}open(e,n,r){return this.context.calls.service.watchJob(this.cursor.request(e),{headers:n,signal:r})}async ask(e){let{job:n,waiting:r}=await this.#s(e);return()=>(this.cursor.acceptPresent(n,r),this.cursor.acceptsJobs&&n!==void 0?this.cursor.acceptJob(n):void 0)}async hasEnded(){let{job:e}=await this.#s(this.context.calls.timeoutMs),{epoch:n,sequence:r}=this.cursor;return e!==void 0&&wr(e)&&e.epoch===n&&e.lastSequence===r}onYield(e,n){this.#n=!n,e.type!=="gap"&&(this.#e=e.type==="event"?e.event.sequence:e.job.lastSequence,this.#t=this.cursor.epoch)}#s(e){let{calls:n}=this.context;return n.call(r=>n.service.getJob({jobId:this.jobId},r),{timeoutMs:e,signal:this.closing})}};function cc(t,e,n){return e===n||e!==void 0&&n!==void 0&&is(t,e,n)}var Rm=10000n,_r=class{#e=!1;#t=new Map;#n=new Map;#r;retainAll(e){this.#e=e}get isEmpty(){return this.#t.size===0&&this.#n.size===0}get jobs(){return new Set([...this.#t.keys(),...this.#n.keys()])}recordJob(e){let n=this.#s(e.jobId);return this.#t.set(e.jobId,{sequence:e.lastSequence,epoch:e.epoch}),!this.#e&&this.#t.size>1e4&&this.#i(),n?.sequence!==e.lastSequence||(n.epoch??e.epoch)!==e.epoch}recordEvents(e){return this.isEmpty&&!this.#e?e:e.filter(n=>this.#o(n))}forget(e){this.#t.delete(e),this.#n.delete(e)}expireAfter(e){this.#e||(this.#i(),this.#r=e+Rm)}advance(e){this.#r!==void 0&&e>this.#r&&!this.#e&&(this.#n.clear(),this.#r=void 0)}clear(){this.#t.clear(),this.#n.clear(),this.#r=void 0,this.#e=!1}#o({jobId:e,sequence:n}){let r=this.#s(e);return r!==void 0&&n<=r.sequence?!1:(this.#e?this.#t.set(e,{sequence:n,epoch:r?.epoch}):r!==void 0&&this.forget(e),!0)}#s(e){return this.#t.get(e)??this.#n.get(e)}#i(){this.#n=this.#t,this.#t=new Map,this.#r=void 0}};function an(t,e=Date.now()){let{estimate:n}=t;if(n===void 0||t.state!==2||!Bs(n,t.startTime))return;let{remainingP50:r,remainingP90:o,asOf:s,overdue:i}=n;if(i)return{medianMs:void 0,mostMs:void 0,overdue:i,estimate:n};if(r===void 0)return;let a=s===void 0?0:Math.max(e-ut(s),0),l=c=>Math.max(c-a,0);return{medianMs:l(Ke(r)),mostMs:o&&l(Ke(o)),overdue:i,estimate:n}}function Bs({asOf:t},e){return!t||!e||ut(t)>=ut(e)}var km=1e3,$r=class{#e=new Map;get size(){return this.#e.size}set(e,n){if(this.#e.delete(e),this.#e.set(e,n),this.#e.size<=km)return;let[r]=this.#e.keys();r!==void 0&&this.#e.delete(r)}forget(e){this.#e.delete(e)}clear(){this.#e.clear()}of(e){let{jobId:n,state:r,startTime:o}=e;if(r!==2)return;let s=this.#e.has(n)?this.#e.get(n):e.estimate;return s!==void 0&&Bs(s,o)?s:void 0}};var Mr=class extends vt{filter;position;missing=[];estimates=new $r;newEstimates=0;#e=new _r;#t=0n;#n;#r=0n;#o=new Set;constructor(e,n){super(n),this.filter=e,this.position=n.after===0n?void 0:n.after,this.#n=n.after??0n}request(e){return this.#r=0n,this.#o.clear(),I(Qa,{filter:this.filter,eventFilter:this.selection.filter(),...this.newStream(e,"afterPosition",this.position)})}get resumeAfter(){return this.position??0n}accept(e){let{frame:n}=e;if(n.case==="opened")return this.#s(n.value);switch(this.checkOpened(n.case),n.case){case"events":return this.#i(n.value);case"snapshot":return this.#a(n.value);case"deleted":{let{jobId:r,position:o}=n.value,s=this.#d(o);return s&&(this.#e.forget(r),this.estimates.forget(r)),s?[{type:"deleted",jobId:r}]:[]}case"trimmed":{let{jobId:r,firstSequence:o,position:s}=n.value;return this.#d(s)?[{type:"trimmed",jobId:r,firstSequence:o}]:[]}case"caughtUp":return this.#d(n.value.sequence),this.caughtUp=this.reachedHead=!0,this.#e.expireAfter(n.value.sequence),[];case"status":return this.#u(n.value),[];case void 0:return[]}}recover(e){if((this.start==="snapshot"||this.start==="after"&&this.position===void 0)&&z(e,"SEQUENCE_TRIMMED"))return[];let r=this.gapInstead(e);if(r!==void 0)return this.start="snapshot",this.position=void 0,this.epoch="",this.head=0n,this.caughtUp=!1,this.#n=0n,this.#e.clear(),this.missing.length=0,this.estimates.clear(),[r]}acceptList(e,n){this.start="snapshot",this.position=void 0,this.caughtUp=!0,this.#e.retainAll(!0);let r=new Set(e.map(({jobId:o})=>o));return n&&this.#m(r),this.newEstimates+=Number(e.some(({estimate:o})=>o!==void 0)),e.flatMap(o=>this.#l(o))}get acceptsJobs(){return this.options.onGap!=="throw"}acceptMissing(e,n){this.missing.splice(this.missing.indexOf(e),1);let r=n===void 0?[{type:"deleted",jobId:e}]:this.#l(n);return(this.start==="snapshot"||n===void 0)&&(this.#e.forget(e),this.estimates.forget(e)),r}#s(e){let n=[];if(this.epoch!==""&&e.epoch!==this.epoch&&!this.#e.isEmpty){let r=Tm(this.epoch,e.epoch),o=this.recover(r);if(o===void 0)throw r;n=o}if(this.start==="after"){if(e.cursor!==this.resumeAfter)throw new Z(`The stream opened after ${e.cursor}, not after ${this.resumeAfter}.`);if(this.position===0n&&e.firstSequence>1n)throw Cm(e);this.position===void 0&&(this.#t=e.firstSequence-1n,this.#e.retainAll(this.#t>0n))}else this.start==="latest"?(this.start="after",this.position=e.cursor):this.#e.retainAll(!0);return this.noteOpened(e),n}#i(e){let n=this.#e.recordEvents(e.events);return this.#d(e.position),n.map(r=>({type:"event",event:r}))}#a({job:e,position:n}){return e===void 0?[]:(n>0n?this.#d(n):this.#o.add(e.jobId),this.#l(e))}#l(e){return this.#e.recordJob(e)?(this.estimates.forget(e.jobId),[{type:"snapshot",job:e}]):(this.estimates.set(e.jobId,e.estimate),[])}#u(e){this.#d(e.cursor),this.raiseHead(e.headSequence),this.storeAway=e.storeAway,this.#e.expireAfter(e.cursor),this.newEstimates+=+(e.jobEstimates.length>0);for(let{jobId:n,estimate:r}of e.jobEstimates)this.estimates.set(n,r)}#d(e){if(e<this.#r)throw new Z(`The stream went back from ${this.#r} to ${e}.`);this.#r=e,this.raiseHead(e);let n=e>this.#n;return n&&(this.#n=e),this.start==="snapshot"?(this.#p(),this.position=e):this.position!==void 0?this.position=e>this.position?e:this.position:e>=this.#t&&(this.#e.retainAll(!1),this.position=e),this.#e.advance(e),n}#p(){this.start="after",this.#e.retainAll(!1),this.#m(this.#o),this.#o.clear()}#m(e){for(let n of this.#e.jobs)e.has(n)||this.missing.push(n)}};function Tm(t,e){return new H("The store was replaced while the server listed the jobs.",{reason:"EPOCH_CHANGED",code:w.FailedPrecondition,metadata:{requested:t,epoch:e}})}function Cm(t){return new H(`The watch cannot go on after 0: the oldest position in the store is ${t.firstSequence}.`,{reason:"SEQUENCE_TRIMMED",code:w.OutOfRange,metadata:{requested:"0",first:`${t.firstSequence}`,head:`${t.headSequence}`}})}var Lm=1e3,Jr=class extends Et{#e;#t=!1;#n=0;constructor(e,n,r){let o=new Mr(n,r);super(e,o,r),this.#e=o.position}get position(){return this.#t?this.#e:this.cursor.position}estimateOf(e){return this.cursor.estimates.of(e)}isNews(){let e=this.cursor.newEstimates!==this.#n;return this.#n=this.cursor.newEstimates,e}open(e,n,r){return this.context.calls.service.watchJobs(this.cursor.request(e),{headers:n,signal:r})}async ask(e){let{calls:n}=this.context,r={filter:this.cursor.filter,pageSize:Lm},{jobs:o,nextPageToken:s}=await n.call(i=>n.service.listJobs(r,i),{timeoutMs:e,signal:this.closing});return()=>this.cursor.acceptsJobs?this.cursor.acceptList(o,s===""):void 0}async fetchMissing(){for(let e=this.cursor.missing[0];e!==void 0&&!this.isPaused;e=this.cursor.missing[0]){let n=this.cursor.acceptMissing(e,await this.#r(e));if(n.length>0)return n}return[]}onYield(e,n){this.#t=!n,n&&(this.#e=this.cursor.position)}async#r(e){let{calls:n}=this.context;try{let{job:r}=await n.call(o=>n.service.getJob({jobId:e},o),{signal:this.closing});return r}catch(r){if(z(r,"JOB_NOT_FOUND"))return;throw r}}};var dc={take:()=>Promise.resolve(()=>{})},_m=4,Gr=class t{static#e=new Map;#t;#n=!1;constructor(e){this.#t=e}static of(e){let{origin:n}=new URL(e,globalThis.location.href),r=t.#e.get(n)??new t(n);return t.#e.set(n,r),r}async take(){if(Xl(this.#t))return()=>{};if(this.#n)return;this.#n=!0;let e=await $m(this.#t);if(e===void 0){this.#n=!1;return}return()=>{this.#n=!1,e()}}};async function $m(t){let e=globalThis.navigator.locks;if(e===void 0)return()=>{};try{for(let n=0;n<_m;n++){let r=await Mm(e,`milepost-stream-${n} ${t}`);if(r!==void 0)return r}return}catch{return()=>{}}}function Mm(t,e){return new Promise((n,r)=>{t.request(e,{ifAvailable:!0},o=>{if(o===null){n(void 0);return}return new Promise(s=>{n(s)})}).catch(r)})}var uc={backoffMs:1e3,maximumBackoffMs:3e4,pollMs:2e3,streamRetryMs:3e5,probeMs:5e3,silenceMs:5e3};var Jm=1e3,ln=class{#e;#t;constructor(e,{transport:n,slots:r=dc,dropConnection:o}){let{token:s,timeoutMs:i=3e4,timing:a}=e;this.#e=new br(n,new hr(s),i),this.#t={calls:this.#e,timing:{...uc,...a},slots:r,dropConnection:o??(()=>{})}}async submitJob(e,n){let r={requestId:Um(),...e},{job:o}=await this.#e.call(s=>this.#e.service.submitJob(r,s),n);return Vs(o)}async getJob(e,n){return(await this.lookUp(e,n)).job}async getWaiting(e,n){return(await this.lookUp(e,n)).waiting}async getWaitingOf(e,n={}){let r=new Map;if(e.length===0)return r;let o={jobIds:[...e]},s={pageSize:e.length,waitingOnly:!0,...n};for await(let i of this.#n(o,s))for(let{jobId:a,waiting:l}of i.waiting)l&&r.set(a,l);return r}async lookUp(e,n){let{job:r,waiting:o}=await this.#e.call(s=>this.#e.service.getJob({jobId:e},s),n);return{job:Vs(r),waiting:o}}async*listJobs(e={},n={}){for await(let r of this.#n(e,n))yield*r.jobs}async*#n(e,n){let{pageSize:r=0,orderBy:o="",waitingOnly:s=!1,...i}=n,a="";do{let l={filter:e,pageSize:r,orderBy:o,pageToken:a,waitingOnly:s},c=await this.#e.call(d=>this.#e.service.listJobs(l,d),i);yield c,a=c.nextPageToken}while(a!=="")}async cancelJob(e,n={}){let{reason:r="",gracePeriodMs:o,...s}=n,i={jobId:e,reason:r,gracePeriod:en(o)},{job:a}=await this.#e.call(l=>this.#e.service.cancelJob(i,l),s);return Vs(a)}async deleteJob(e,n){await this.#e.call(r=>this.#e.service.deleteJob({jobId:e},r),n)}async shareJob(e,n={}){let{ttlMs:r,scopes:o=[],...s}=n,i={jobId:e,ttl:en(r),scopes:[...o]},{token:a,expireTime:l}=await this.#e.call(c=>this.#e.service.shareJob(i,c),s);return{token:a,expireTime:l}}async revokeShares(e,n){await this.#e.call(r=>this.#e.service.revokeShares({jobId:e},r),n)}whoAmI(e){return this.#e.call(n=>this.#e.service.whoAmI({},n),e)}getHistory(e,{owner:n="",...r}={}){return this.#e.call(o=>this.#e.service.getHistory({kind:e,owner:n},o),r)}async*listWorkers(e="",n={}){let r="";do{let o={kind:e,pageSize:Jm,pageToken:r},s=await this.#e.call(i=>this.#e.admin.listWorkers(o,i),n);yield*s.workers,r=s.nextPageToken}while(r!=="")}watchJob(e,n={}){return new Lr(this.#t,e,n)}watchJobs(e={},n={}){return new Jr(this.#t,Gm(e),n)}followJob(e,n={}){return new Er(this.watchJob(e,{latestProgress:!0,...n,start:"snapshot"}))}};function Gm(t){return I(ja,t)}function Um(){let t=new Uint8Array(16),{crypto:e}=globalThis;return e===void 0?t.forEach((n,r)=>t[r]=Math.floor(Math.random()*256)):e.getRandomValues(t),Array.from(t,n=>n.toString(16).padStart(2,"0")).join("")}function Vs(t){if(t===void 0)throw new Z("The response has no job.");return t}function pc(t={}){if(t.transport!==void 0)return new ln(t,{transport:t.transport});let e="document"in globalThis,n=t.baseUrl??globalThis.location.origin;return new ln(t,{transport:Gs({baseUrl:n,useBinaryFormat:!0}),slots:e?Gr.of(n):void 0})}var Ws=["jobStarted","stageStarted","stageEnded","attemptEnded","jobEnded"];function hc(t,e,n){let r=[],o=v(t.submitTime)??0,s=e.some(({payload:i,attempt:a})=>i.case==="jobStarted"&&a===n?.attempt);n&&!s&&mc(r,n,o);for(let{attempt:i,time:a,payload:l}of e){let c=v(a)??o,d=r.at(-1);if(l.case==="jobStarted")r.push({number:i,queued:o,start:c,workerId:l.value.workerId,outcome:"",stages:new Map});else if(d){if(l.case==="stageStarted"){let m=l.value.stage?.stageId??"";d.stages.set(m,{start:c,state:2})}else if(l.case==="stageEnded")bc(d.stages.get(l.value.stageId),c,l.value.state);else if(l.case==="attemptEnded"){let m=l.value.failure,b=m?.code==="RELEASED";fc(d,c,b?"released":"failed",b?6:4),m&&(d.failure=m),o=c}else if(l.case==="jobEnded"){let m=l.value.state;fc(d,c,C(m).word,Om[m]??4),l.value.failure&&(d.failure=l.value.failure)}}else continue}return mc(r,t,o),r}function gc(t,e,n,r){let o=r.find(({number:i})=>i===t-1)?.failure?.code,s=Math.max(n?.retryPolicy?.maxAttempts??1,t);return[`attempt ${t} of ${s}`,`started ${Q(e)}`,o&&`after ${y(o,64)}`].filter(Boolean).join(", ")}var Om={4:3,6:6};function mc(t,e,n){let r=v(e.startTime);if(e.attempt===0||r===void 0)return;let o=t.at(-1);if((!o||o.number<e.attempt)&&(o={number:e.attempt,queued:n,start:r,workerId:e.workerId,outcome:"",stages:new Map},t.push(o)),o.outcome)return;for(let i of e.stages){let a=v(i.startTime);if(a===void 0)continue;let l={start:a,state:i.state},c=v(i.endTime);c!==void 0&&(l.end=c),o.stages.set(i.stageId,l)}let s=v(e.endTime);A(e)&&s!==void 0?(o.end=s,o.outcome=C(e.state).word,e.failure&&(o.failure=e.failure)):e.state===1&&(o.outcome=e.failure?.code==="RELEASED"?"released":"failed",e.failure&&(o.failure=e.failure))}function fc(t,e,n,r){t.end=e,t.outcome=n;for(let o of t.stages.values())o.end===void 0&&bc(o,e,r)}function bc(t,e,n){t&&(t.end=e,t.state=n)}var qe=class{constructor(e){this.work=e}#e=!1;request(){this.#e||(this.#e=!0,requestAnimationFrame(()=>{this.#e=!1,this.work()}))}};var Dm=4e3,yc=1e4,wt=class{#e=[];#t=[];#n;constructor(e){this.#n=new qe(()=>{let n=this.#e.splice(0,Dm);if(this.#e.length>0&&this.request(),this.#e.length<yc)for(let r of this.#t.splice(0))r();e(n)})}get isEmpty(){return this.#e.length===0}request(){this.#n.request()}async add(e){for(let n of e)this.#e.push(n);this.request(),!(this.#e.length<yc)&&await new Promise(n=>{this.#t.push(n)})}};var vc=["logWritten","jobStarted"];function Ec(t){let e=Number(t.sequence),n=v(t.time)??0;if(t.payload.case==="jobStarted"&&t.attempt>1)return{sequence:e,time:n,stageId:"",severity:2,text:"",startsAttempt:t.attempt};if(t.payload.case!=="logWritten")return;let{stageId:r,severity:o,text:s}=t.payload.value;return{sequence:e,time:n,stageId:r,severity:o===0?2:o,text:s.replace(/\r?\n$/,"")}}var Fm=12e5,Bm=256*1024*1024,Ur=class{constructor(e=Fm,n=Bm){this.maxLines=e;this.maxCharacters=n}lines=[];generation=gt();prepended=0;dropped=0;boundaries=0;hasStages=!1;#e=0;get hasRoom(){return this.lines.length<this.maxLines&&this.#e<this.maxCharacters}append(e){let n=this.lines.at(-1)?.sequence??-1;for(let r of e)r.sequence<=n||(this.lines.push(r),this.#t(r));(this.lines.length>this.maxLines||this.#e>this.maxCharacters)&&this.#n()}prepend(e){let n=this.lines[0]?.sequence??1/0,r=e.filter(i=>i.sequence<n),o=this.hasRoom?this.maxLines-this.lines.length:0,s=r.slice(Math.max(r.length-o,0));for(let i of s)this.#t(i);this.lines=s.concat(this.lines),this.prepended+=s.length}clear(){this.lines=[],this.generation=gt(),this.prepended=this.dropped=this.boundaries=this.#e=0,this.hasStages=!1}#t(e){this.#e+=e.text.length,this.hasStages||=e.stageId!=="",e.startsAttempt&&(this.boundaries+=1)}#n(){let e=Math.floor(this.maxLines*.95),n=this.maxCharacters*.95,r=0;for(;this.lines.length-r>e||this.#e>n;)this.#e-=this.lines[r]?.text.length??0,r+=1;this.boundaries-=ht(this.lines.splice(0,r)),this.dropped+=r}};var wc=2e3,Vm=1e5,Sc=1e4,Or=class{constructor(e,n){this.client=e;this.jobId=n}lines=new Ur;isLoaded=!1;isLoading=!1;error="";#e=0;#t="";#n=1;#r=wc;#o=new AbortController;get hasOlder(){return!this.isLoaded||this.#e>=this.#n&&this.lines.hasRoom}get isBlank(){return ue(this.lines)===0&&this.hasOlder&&!this.error}restart({lastSequence:e,firstSequence:n,epoch:r}){this.#o.abort(),this.#o=new AbortController,this.lines.clear(),this.#t=r,this.#e=Number(e),this.#n=Math.max(Number(n),1),this.#r=wc,this.isLoaded=this.isLoading=!1,this.error=""}add(e){this.lines.append(xc(e))}async loadOlder(){if(this.isLoading||!this.hasOlder)return;let{signal:e}=this.#o;this.isLoading=!0,this.error="";try{let n=Math.max(this.#e-this.#r,this.#n-1),r=await this.#s(n,this.#e,e);if(e.aborted)return;this.lines.prepend(r),this.#e=n,this.isLoaded=!0,r.length<Sc/2?this.#r=Math.min(this.#r*4,Vm):r.length>Sc*2&&(this.#r/=4)}catch(n){e.aborted||(this.error=n instanceof Error?n.message:String(n))}finally{e.aborted||(this.isLoading=!1)}}async#s(e,n,r){let o=[];if(e>=n)return o;let s=this.client.watchJob(this.jobId,{after:BigInt(e),epoch:this.#t,payloads:vc,follow:!1,onGap:"throw",pauseWhenHidden:!0,connectTimeoutMs:1/0,signal:r});for await(let i of s.batches()){let a=i.flatMap(l=>l.type==="event"?[l.event]:[]);for(let l of xc(a))l.sequence<=n&&o.push(l);if(Number(s.sequence)>=n)break}return o}};function xc(t){return t.map(Ec).filter(e=>e!==void 0)}var Ic=2e4,Wm=4,Ac=500,Pm=5e3,Ym=3e4,Zm=new Set(Ws),Dr=class{constructor(e,n){this.server=e;this.jobId=n;this.log=new Or(e.client,n)}log;connection={state:"connecting",error:""};children=[];hasMoreChildren=!1;usual;#e;#t;#n;#r=[];#o="";#s=new AbortController;#i=!1;#a;#l;#u;#d;#p={};#m=!1;#f=-1/0;#b=new pe;#c=new wt(e=>{this.#y(e)});get job(){let e=this.#e?.job,n=this.#l?.estimate;return!e||n===e.estimate?e:((this.#t?.of!==e||this.#t.job.estimate!==n)&&(this.#t={of:e,job:{...e,estimate:n}}),this.#t.job)}get now(){return this.connection.staleSince??this.server.clock.now()}get epoch(){return this.#l?.epoch??""}get waiting(){let e=this.#l?.waiting,{job:n}=this;if(n?.state!==1)return;let{waiting:r,after:o,attempt:s}=this.#p;return o===e&&s===n.attempt?r:e}get isCaughtUp(){return(this.#l?.caughtUp??!1)&&this.#c.isEmpty}get isEnded(){return this.job!==void 0&&A(this.job)}get isMoving(){return!this.isEnded}get isShown(){return this.#b.count>0}get attempts(){return this.job&&(this.#a??=hc(this.job,this.#r,this.#n)),this.#a??[]}subscribe(e){let n=this.#b.add(e);return this.#d??=me.add(()=>void this.#x()),this.server.whoAmI().then(()=>{this.#c.request()}),!this.#u&&!this.isEnded&&(this.#u=new AbortController,this.#v(this.#u.signal)),()=>{n(),!(this.#b.count>0)&&(this.#u?.abort(),this.#u=void 0,this.#d?.(),this.#d=void 0)}}get mayCancel(){return this.server.may("cancel")}async loadOlderLines(){let e=this.log.loadOlder();this.#c.request(),await e,this.#c.request()}async cancel(e,n){await this.server.client.cancelJob(this.jobId,{reason:e,gracePeriodMs:n*1e3})}async#v(e){this.connection={state:"connecting",error:""};let n=this.server.client.watchJob(this.jobId,{start:"snapshot",latestProgress:!0,pauseWhenHidden:!0,connectTimeoutMs:1/0,signal:e,onConnection:r=>{e.aborted||(this.server.clock.set(n.clockOffsetMs),this.connection=mt(r,n.clockOffsetMs),this.#c.request())}});this.#l=n;try{for await(let r of n.batches())await this.#c.add(r)}catch(r){if(e.aborted)return;this.connection=ft(r,this.server.clock.now()),this.#c.request()}}#y(e){let n=[];for(let r of e)r.type==="snapshot"?(n.length=0,this.#g(r.job)):r.type==="event"&&n.push(r.event);for(let r of n)this.#e?.apply(r),Zm.has(r.payload.case)&&this.#r.length<Ic&&this.#r.push(r);e.length>0&&(this.#a=void 0),this.log.add(n),this.#b.notify()}#g(e){this.#e=new te(e),this.#n=e,this.#r=[],this.#i=!1,this.#s.abort(),this.#s=new AbortController,e.epoch!==this.#o&&this.#E(),this.#o=e.epoch,this.log.restart(e),this.#w(e,this.#s.signal)}#E(){this.children=[],this.hasMoreChildren=!1,this.usual=void 0,this.#p={}}async#w(e,n){await this.loadOlderLines();for(let r=1;r<Wm&&this.log.isBlank&&!n.aborted;r++)await this.loadOlderLines();(e.attempt>1||e.attempt===1&&e.state===1)&&await this.#S(e,n),!n.aborted&&(this.#i=!0,this.#f=-1/0,await this.#x(),await this.#h(e,n))}async#h({kind:e,owner:n},r){if(await this.server.whoAmI(),await q(),!(this.usual!==void 0||r.aborted||!this.server.may("see history")))try{let o=await this.server.client.getHistory(e,{owner:n,signal:r});if(this.#s.signal!==r)return;this.usual=o,this.#c.request()}catch{}}async#S({lastSequence:e,firstSequence:n,epoch:r},o){let s=[],i=this.server.client.watchJob(this.jobId,{after:n>0n?n-1n:0n,epoch:r,onGap:"throw",payloads:Ws,follow:!1,pauseWhenHidden:!0,connectTimeoutMs:1/0,signal:o});try{for await(let a of i)if(a.type==="event"&&a.event.sequence<=e&&s.push(a.event),i.sequence>=e||s.length>=Ic)break}catch{return}o.aborted||(this.#r=[...s,...this.#r.filter(a=>a.sequence>e)],this.#a=void 0,this.#c.request())}async#x(){let{job:e}=this;if(!e||!this.#i||this.#m)return;let n=e.state===1||this.children.length>0||e.plannedChildren>0,r=A(e)?1/0:n?Pm:Ym;if(performance.now()-this.#f<r)return;this.#m=!0;let{signal:o}=this.#s;await q();try{if(e.state===1){let c=this.#l?.waiting,d=await this.server.client.getWaiting(this.jobId,{signal:o});o.aborted||(this.#p={waiting:d,after:c,attempt:e.attempt})}await q();let s={pageSize:Ac,signal:o},i=this.server.client.listJobs({parentJobId:this.jobId},s),{jobs:a,more:l}=await Km(i,Ac);o.aborted||([this.children,this.hasMoreChildren]=[a,l])}catch{}this.#m=!1,this.#f=o.aborted?-1/0:performance.now(),this.#c.request()}};async function Km(t,e){let n=[];for await(let r of t){if(n.length>=e)return{jobs:n,more:!0};n.push(r),await q()}return{jobs:n,more:!1}}var Ps={states:[],kind:"",owner:"",labels:[],search:""},Ys=[["queued",1],["running",2],["cancelling",3],["succeeded",4],["failed",5],["cancelled",6],["lost",7]],Nc=Ys;function Rc(t){let e=new URLSearchParams(t),n=(e.get("state")??"").split(",");return{states:Ys.filter(([r])=>n.includes(r)).map(([,r])=>r),kind:e.get("kind")??"",owner:e.get("owner")??"",labels:e.getAll("label").filter(Boolean),search:e.get("q")??""}}function Fr(t){let e=new URLSearchParams,n=Ys.filter(([,o])=>t.states.includes(o)).map(([o])=>o);n.length>0&&e.set("state",n.join(",")),t.kind&&e.set("kind",t.kind),t.owner&&e.set("owner",t.owner);for(let o of t.labels)e.append("label",o);t.search&&e.set("q",t.search);let r=e.toString();return r&&`?${r}`}function kc(t){let e=t.map(n=>n.split("=")).filter(n=>n.length>1);return Object.fromEntries(e.map(([n="",...r])=>[n,r.join("=")]))}function Tc(t,e){let{states:n,kind:r,owner:o,labels:s,search:i}=e;if(n.length>0&&!n.includes(t.state)||r&&t.kind!==r||o&&t.owner!==o)return!1;for(let c of s){let[d="",...m]=c.split("=");if(m.length>0?t.labels[d]!==m.join("="):!(d in t.labels))return!1}if(!i)return!0;let a=i.toLowerCase();return[t.jobId,t.kind,t.owner,...Object.entries(t.labels).map(c=>c.join("="))].some(c=>c.toLowerCase().includes(a))}function Cc(t,e,n){let r=new Date(n).setHours(0,0,0,0),o=new Map([["running",[]],["waiting",[]],["ended today",[]],["ended before",[]]]);for(let i of t)Tc(i,e)&&o.get(jm(i,r))?.push(i);let s=[];for(let[i,a]of o){if(a.length===0)continue;let l=new Map(a.map(c=>[c,Hm(c)]));a.sort((c,d)=>(l.get(d)??0)-(l.get(c)??0)||(c.jobId<d.jobId?1:-1)),s.push({type:"group",key:i,count:a.length}),Xm(s,a)}return s}function Xm(t,e){let n=new Set(e.map(i=>i.jobId)),r=new Map,s=e.filter(i=>{if(!i.parentJobId||!n.has(i.parentJobId))return!0;let a=r.get(i.parentJobId);return a?a.push(i):r.set(i.parentJobId,[i]),!1}).reverse().map(i=>({job:i,depth:0}));for(let i=s.pop();i;i=s.pop()){let{job:a,depth:l}=i;t.push({type:"job",key:a.jobId,depth:l});for(let c of(r.get(a.jobId)??[]).reverse())s.push({job:c,depth:l+1})}}function Lc(t,e){let n=new Map,r={...e,states:[]};for(let o of t)Tc(o,r)&&n.set(o.state,(n.get(o.state)??0)+1);return n}function _c(t,e){let n=new Map;for(let r of t){let o=v(r.endTime);if(o===void 0||!A(r))continue;let s=v(r.startTime)??o,i=[o,{state:r.state,seconds:(o-s)/1e3}],a=n.get(r.kind);a?a.push(i):n.set(r.kind,[i])}return new Map([...n].map(([r,o])=>[r,o.sort(([s],[i])=>s-i).slice(-e).map(([,s])=>s)]))}function $c(t){let e=!1;for(let{dispatch:n}of t){if(n!==2)return!0;e=!0}return!e}function jm(t,e){return Re(t)?"running":A(t)?(v(t.endTime)??0)>=e?"ended today":"ended before":"waiting"}function Hm(t){return v(A(t)?t.endTime:t.submitTime)??0}var Br=["jobSubmitted","jobStarted","stagesPlanned","stageStarted","stageProgressed","stageEnded","cancelRequested","cancelAcknowledged","attemptEnded","jobEnded","childrenProgressed"];var Mc=500,zm=2e4,Jc=2e4,Qm=100,Gc=5e3,qm=500,ef=[2,3],tf=[4,5,6,7],Vr=class{constructor(e,n){this.server=e;this.filter=n}connection={state:"connecting",error:""};version=0;isLoading=!0;error="";#e;#t=new Map;#n=new Map;#r=new pe;#o=new wt(e=>{this.#A(e)});#s=[];#i;#a=new Set;#l=new Map;#u=-1/0;#d=-1/0;#p=new AbortController;#m;#f=!1;covers({kind:e,owner:n,labels:r}){return e===this.filter.kind&&n===this.filter.owner&&r.join()===this.filter.labels.join()}get now(){return this.connection.staleSince??this.server.clock.now()}*all(){for(let e of this.#t.values())yield e.job;yield*this.#n.values()}get(e){let n=this.#t.get(e)?.job;if(!n)return this.#n.get(e);let r=this.#e?.estimateOf(n);return r===n.estimate?n:{...n,estimate:r}}waitingOf(e){return this.#l.get(e)}async lookUpWaiting(e){let n=e.slice(0,Qm),r=n.some(i=>!this.#l.has(i));if(n.length===0||performance.now()<(r?this.#d:this.#u))return;this.#d=1/0,this.#u=1/0;let o=!1;try{await q();let i=await this.server.client.getWaitingOf(n);this.#l=new Map(n.map(a=>[a,i.get(a)])),o=!0}catch{}let s=performance.now();this.#u=s+Gc,this.#d=s+(o?qm:Gc),this.#o.request()}isComplete(e){return!this.#f&&this.#s.some(n=>n.complete&&n.states.includes(e))}isGroupComplete(e){let n={running:2,waiting:1,"ended today":4,"ended before":4};return this.isComplete(n[e])}async exists(e){try{return(await this.server.client.getJob(e)).jobId===e}catch{return!1}}subscribe(e){let n=this.#r.add(e);return this.#i||(this.#i=new AbortController,this.#c(this.#i.signal)),()=>{n(),!(this.#r.count>0)&&(this.#i?.abort(),this.#i=void 0,this.#p.abort())}}loadMore(){!this.isLoading&&!this.error&&this.#n.size<Jc&&this.#h()}retry(){this.error&&!this.isLoading&&this.#g(this.#p.signal)}get#b(){let{kind:e,owner:n,labels:r}=this.filter;return{kinds:e?[e]:[],owner:n,labels:kc(r)}}async#c(e){this.#v(),this.connection={state:"connecting",error:""};let n=this.server.client.watchJobs(this.#b,{start:"latest",latestProgress:!0,payloads:Br,pauseWhenHidden:!0,connectTimeoutMs:1/0,statusIntervalMs:5e3,signal:e,onConnection:r=>{e.aborted||(this.server.clock.set(n.clockOffsetMs),this.connection=mt(r,n.clockOffsetMs),this.#y(),(r.state==="live"||r.state==="polling")&&this.retry(),this.#o.request())}});this.#e=n;try{for await(let r of n.batches())await this.#o.add(r)}catch(r){if(e.aborted)return;this.connection=ft(r,this.server.clock.now()),this.#o.request()}}#v(){this.#p.abort(),this.#p=new AbortController,this.#s=[],this.#m=new Set,this.#f=!1}#y(){!this.#e?.caughtUp||this.#s.length>0||(this.#s=[ef,[1],tf].map(e=>({states:e,jobs:this.#w(e),complete:!1})),this.#g(this.#p.signal))}async#g(e){let n=this.#s.slice(0,2);do await this.#h();while(!e.aborted&&!this.error&&!this.#f&&n.some(({complete:r})=>!r));!e.aborted&&!this.error&&await this.#h(),!(e.aborted||this.error)&&(this.#f||this.#E(),this.#m=void 0)}#E(){let e=this.#m;if(e){for(let n of[this.#t,this.#n])for(let r of n.keys())e.has(r)||n.delete(r);this.version+=1,this.#o.request()}}#w(e){return this.server.client.listJobs({...this.#b,states:[...e]},{pageSize:Mc,signal:this.#p.signal})}async#h(){let e=this.#s.find(({complete:r})=>!r);if(!e)return;let{signal:n}=this.#p;this.isLoading=!0,this.error="";try{for(let r=0;r<Mc;r++){await q();let o=await e.jobs.next();if(n.aborted)return;if(o.done){e.complete=!0;break}this.#S(o.value)}}catch(r){if(n.aborted)return;this.error=r instanceof Error?r.message:String(r),e.jobs=this.#w(e.states)}this.isLoading=!1,this.version+=1,this.#o.request()}#S(e){this.#m?.add(e.jobId);let n=this.get(e.jobId);n&&!nf(e,n)||(this.#t.delete(e.jobId),this.#n.delete(e.jobId),A(e)?this.#I(e):this.#x(e.jobId,new te(e)))}#x(e,n){this.#t.size<zm?this.#t.set(e,n):this.#f=!0}#I(e){if(this.#n.set(e.jobId,rf(e)),this.#n.size<=Jc)return;let[n]=this.#n.keys();n!==void 0&&this.#n.delete(n)}#A(e){for(let n of e)n.type==="snapshot"?(this.#S(n.job),this.version+=1):n.type==="deleted"?(this.#t.delete(n.jobId),this.#n.delete(n.jobId),this.version+=1):n.type==="gap"?(this.#t.clear(),this.#n.clear(),this.#v(),this.#y(),this.version+=1):n.type==="event"&&this.#N(n.event.jobId,n);this.#r.notify()}#N(e,{event:n}){if(this.#m?.add(e),n.payload.case==="jobSubmitted"&&!this.get(e)){let i=new te;i.apply(n),this.#x(e,i),this.version+=1;return}let r=this.#t.get(e);if(!r){this.#n.has(e)||this.#R(e);return}let{state:o}=r.job;r.apply(n);let{job:s}=r;s.state!==o&&(this.version+=1),A(s)&&(this.#t.delete(e),this.#I(s))}async#R(e){if(this.#a.has(e))return;this.#a.add(e);let{signal:n}=this.#p;await q();try{let r=await this.server.client.getJob(e);if(n.aborted)return;this.#S(r),this.version+=1,this.#o.request()}catch{}finally{this.#a.delete(e)}}};function nf(t,e){return t.epoch===e.epoch?t.lastSequence>e.lastSequence:(v(t.submitTime)??0)>=(v(e.submitTime)??0)}function rf(t){let e={...t,stages:[],artifacts:[]};return delete e.input,delete e.result,e}function Wr(t,e){if(t.size<=e)return;let n=[...t].filter(([,r])=>!r.isShown);for(let[r]of n.slice(0,Math.max(n.length-e,0)))t.delete(r)}var Uc=100,of=1e3,Pr=class{constructor(e){this.server=e}#e=new Map;#t=new qe(()=>{this.#o()});#n=new AbortController;#r="";job(e){let n=this.#e.get(e);return n||(Wr(this.#e,of),n=new Ks(this.server,e,this.#t),this.#e.set(e,n)),n}#o(){let n=[...this.#e.values()].filter(r=>r.isWanted).map(({jobId:r})=>r).sort();if(n.join(" ")!==this.#r){this.#r=n.join(" "),this.#n.abort(),this.#n=new AbortController;for(let r=0;r<n.length;r+=Uc)this.#s(n.slice(r,r+Uc),this.#n.signal)}}async#s(e,n){let r=e.flatMap(s=>this.#e.get(s)??[]),o=this.server.client.watchJobs({jobIds:e},{start:"snapshot",latestProgress:!0,payloads:Br,pauseWhenHidden:!0,connectTimeoutMs:1/0,statusIntervalMs:5e3,signal:n,onConnection:s=>{if(n.aborted)return;this.server.clock.set(o.clockOffsetMs);let i=mt(s,o.clockOffsetMs);for(let a of r)a.connected(i,o.caughtUp)}});try{for(let s of r)s.watch=o;for await(let s of o.batches()){for(let i of s)if(i.type==="gap")for(let a of r)a.isOutdated=!0;else this.#i(i);if(s.length===0)for(let i of r)i.changed()}}catch(s){if(!n.aborted)for(let i of r)i.connected(ft(s,this.server.clock.now()),!1)}}#i(e){e.type==="snapshot"?this.#e.get(e.job.jobId)?.accept(e):e.type==="event"?this.#e.get(e.event.jobId)?.accept(e):e.type==="deleted"&&this.#e.get(e.jobId)?.accept(e)}},Ks=class{constructor(e,n,r){this.server=e;this.jobId=n;this.regroup=r}connection={state:"connecting",error:""};watch;isOutdated=!1;#e;#t=new pe;#n=new qe(()=>{this.#t.notify()});get job(){let e=this.#e?.job;return e&&{...e,estimate:this.watch?.estimateOf(e)}}get now(){return this.connection.staleSince??this.server.clock.now()}get isMoving(){return!this.job||!A(this.job)}get isShown(){return this.#t.count>0}get isWanted(){return this.isShown&&this.isMoving}subscribe(e){let n=this.#t.add(e);return this.regroup.request(),()=>{n(),this.regroup.request()}}accept(e){e.type==="snapshot"?(this.#e=new te(e.job),this.isOutdated=!1):e.type==="event"?this.#e?.apply(e.event):e.type==="deleted"&&(this.connection={state:"missing",error:""}),this.isMoving||(this.connection={state:"ended",error:""}),this.#n.request()}changed(){this.#n.request()}connected(e,n){this.isMoving&&(n&&this.isOutdated&&(this.#e=void 0),this.connection=n&&!this.job?{state:"missing",error:""}:e,this.#n.request())}};var Yr=class{#e=0;set(e){this.#e=e??this.#e}now(){return Date.now()+this.#e}};var Zr=class{constructor(e,n,r=""){this.address=e;this.client=n;this.#e=r}clock=new Yr;#e;#t;#n;get isShared(){return this.#e!==""}whoAmI(){return this.#t??=q().then(()=>this.client.whoAmI()).then(e=>void(this.#n=e),()=>void(this.#n="unknown")),this.#t}get user(){let e=this.#n;return e===void 0||e==="unknown"||this.isShared?"":e.credentialId&&e.subject}may(e){let n=this.#n;if(n===void 0||n==="unknown")return n==="unknown"&&e!=="see workers";let r=n.scopes.includes("admin");return e==="share"?n.jobId==="":e==="see history"?n.jobId===""&&(n.scopes.includes("read")||r):e==="see workers"?r&&n.allOwners&&n.jobId==="":n.scopes.includes(e)||r}jobAddress(e){let n=this.#e&&`#token=${this.#e}`;return`${this.address}jobs/${encodeURIComponent(e)}${n}`}};var sf=8,Xs=class extends Zr{#e=new Map;#t;#n;job(e){let n=this.#e.get(e);return n||(Wr(this.#e,sf),n=new Dr(this,e),this.#e.set(e,n)),n}progressOf(e){return this.#t??=new Pr(this),this.#e.get(e)??this.#t.job(e)}jobs(e){return this.#n?.covers(e)||(this.#n=new Vr(this,e)),this.#n}},Oc=new Map,Dc=new URL(import.meta.url),js=Dc.pathname.endsWith("/assets/elements.js")?new URL("..",Dc).href:"/",Kr,Hs="";function Je(t=""){let e=new URL(t||js,document.baseURI).href.replace(/\/?$/,"/"),n=Oc.get(e);if(!n){let r=Kr===void 0?{}:{token:Kr};n=new Xs(e,pc({baseUrl:e.slice(0,-1),...r}),Hs),Oc.set(e,n)}return n}function af(t){js=t.server??js,Hs=t.sharedToken??Hs,Kr=t.token??t.sharedToken??Kr}var Xr=class{constructor(e){this.element=e}#e;tell(e){let n=this.#e?.jobId===e.jobId?this.#e:void 0;e!==n&&(this.#e=e,this.#t("milepost-change",e),A(e)&&!(n&&A(n))&&this.#t("milepost-end",e))}#t(e,n){this.element.dispatchEvent(new CustomEvent(e,{detail:{job:n},bubbles:!0,composed:!0}))}};var St=class extends fe{static properties={jobId:{attribute:"job-id"},server:{}};#e=new Xr(this);constructor(){super(),this.jobId=this.server=""}willUpdate(e){(e.has("jobId")||e.has("server"))&&(this.jobId?this.store=this.storeOf(Je(this.server),this.jobId):e.get("jobId")&&(this.store=void 0)),super.willUpdate(e)}changed(){super.changed(),this.store?.job&&this.#e.tell(this.store.job)}};function Fc(t,e){let n=t.cancellation;if(!n)return[];let r=v(n.requestTime),o=v(n.acknowledgeTime),s=v(n.deadline),i=A(t)?v(t.endTime):void 0,a=n.requestedBy?` by ${y(n.requestedBy,64)}`:"",l=[{name:"requested",at:r,text:`requested${jr(r)}${a}`}];if(o!==void 0?l.push({name:"acknowledged",at:o,text:`acknowledged${jr(o)}`}):i===void 0&&l.push({name:"acknowledged",at:void 0,text:"not yet acknowledged by the worker"}),i!==void 0)l.push(lf(t,r,i));else{let c=s===void 0?"":`, by force in ${T(Math.max(s-e,0)/1e3)}`;l.push({name:"stopped",at:void 0,text:`stopping${c}`})}return l}function lf(t,e,n){if(t.state!==6)return{name:"completed first",at:n,text:`ended by itself first${jr(n)}`};if(t.cancellation?.forced){let r=e===void 0?"":` after ${T((n-e)/1e3+.5)}`;return{name:"forced",at:n,text:`forced${r}: the worker did not stop in time`}}return{name:"stopped",at:n,text:`stopped${jr(n)}`}}function jr(t){return t===void 0?"":` ${Q(t)}`}function zs(t,e){let n=an(t,e);return n===void 0?"":n.medianMs===void 0?"overdue":n.medianMs>=1e3?`about ${T(n.medianMs/1e3)} left`:(n.mostMs??0)>=1e3?"ending any moment":"longer than expected"}function Hr(t,e){let n=zs(t,e);return n==="longer than expected"?"":n}function Bc(t,e){let n=an(t,e);if(n===void 0)return"";let{estimate:r,mostMs:o,overdue:s}=n;return s?`over three times the longest of ${O(r.sampleSize,"run")}`:[...Yc(o),...Zc(r)].join(" \xB7 ")}function Vc(t){let e=t?.run?.remainingP50;if(!e)return"";let n=Xe(e);return n<1?"takes less than a second":`takes about ${T(n)}`}function Wc(t){let e=t?.run;return e?[...Yc(e.remainingP90&&Ke(e.remainingP90)),...Zc(e)].join(" \xB7 "):""}function Pc({startP50:t,run:e},n){if(!t)return"";let r=Xe(t)-Math.max(n-(v(e?.asOf)??n),0)/1e3;return r>=1?`likely to start in ${T(r)}`:"likely to start any moment"}function Yc(t){return t!==void 0&&t>=1e3?[`at most ${T(t/1e3)}`]:[]}function Zc({basis:t,sampleSize:e}){if(t===3)return["from its pace so far"];if(!e)return[];let n=`from ${O(e,"run")}`;return[t===2?`${n}, scaled to its workload`:n]}var Qs=8;function cf(t){return`
${t}`}function Kc(t,e){let n=new Set(t.map(l=>l.stageId)),r=new Map;for(let l of t){let c=n.has(l.parentStageId)?l.parentStageId:"",d=r.get(c);d?d.push(l):r.set(c,[l])}let o=[],s=new Set,i=[],a=(l,c)=>{let d=r.get(l)??[],m=cf(l),b=d.length>Qs,p=!b||(e.get(m)??!1),g=p?d:uf(d);if(b){let E=p?[]:pf(d,g);i.push({type:"rest",key:m,parentId:l,depth:c,hidden:E,open:p})}for(let E of[...g].reverse()){let x=r.get(E.stageId)??[];i.push({type:"stage",key:E.stageId,stage:E,depth:c,inner:x.length,innerDone:x.filter(({state:M})=>M===3).length,open:x.length?e.get(E.stageId)??df(E):void 0})}};a("",0);for(let l=i.pop();l;l=i.pop())o.push(l),l.type==="stage"&&l.open&&!s.has(l.key)&&(s.add(l.key),a(l.key,l.depth+1));return o}function Xc(t){let e=[4,2,1,3,5,6],n=new Map;for(let r of t)n.set(r.state,(n.get(r.state)??0)+1);return e.flatMap(r=>{let o=n.get(r);return o===void 0?[]:[[r,o]]})}function jc(t){let e=t.filter(r=>r.state===2),n=new Set(e.map(r=>r.parentStageId));return e.filter(r=>!n.has(r.stageId)).at(-1)}function Hc(t){return t.state===3||t.state===5}function df(t){return t.state===2||t.state===4}function uf(t){let e=t.filter(o=>o.state===4).slice(0,Qs),n=t.filter(o=>o.state===2).slice(0,Math.max(Qs-e.length,0)),r=new Set([...e,...n]);return t.filter(o=>r.has(o))}function pf(t,e){let n=new Set(e);return t.filter(r=>!n.has(r))}var zc=3,mf=1.5,ff=1;function Qc(t,e){let{runs:n=0,durationP50:r,durationP90:o}=e??{};if(t.state!==4||n<zc||!r)return"";let s=o?`, at most ${X(Xe(o))} in nine of ten`:"";return`usually ${X(Xe(r))}${s} \xB7 ${O(n,"run")}`}function qc(t){let{runs:e=0,stages:n=[]}=t??{};return e<zc?new Map:new Map(n.flatMap(({stageId:r,durationP50:o})=>o?[[r,Xe(o)]]:[]))}function ed(t,e,n){let r=v(t.startTime);if(r===void 0)return!1;let o=((v(t.endTime)??n)-r)/1e3;return o>e*mf&&o>e+ff}function td(t,e,n){let r=y(t.kind,64),o=v(t.retryTime);if(o!==void 0&&o>n)return`next attempt in ${T((o-n)/1e3+.999)}`;let s=(e?.nearestKinds??[]).map(a=>y(a,64)).join(", "),i=s?`; nearest: ${s}`:"";if(!e)return"waiting in the queue";switch(e.waitingFor){case 4:return t.plannedChildren>0?"waits for its children":"waits to be claimed by the engine that runs it";case 2:return`no worker takes ${r}${i}`;case 3:return`no worker takes ${r} yet${i}; the server has just started, and workers may be reconnecting`;case 5:return od(t);default:{let a=e.workers===1?"takes":"take",l=Pc(e,n),c=`${O(e.workers,"worker")} ${a} ${r}`;return[hf(e),l,c].filter(Boolean).join(" \xB7 ")}}}function nd(t){return t?.waitingFor===2?"It starts once a worker with a handler for this kind connects.":""}function rd(t,e,n){let r=v(t.retryTime);if(r!==void 0&&r>n)return`next attempt in ${T((r-n)/1e3+.999)}`;if(!e)return"";switch(e.waitingFor){case 4:return t.plannedChildren>0?"waits for its children":"waits to be claimed";case 2:case 3:{let o=e.nearestKinds.map(i=>y(i,64)).join(", "),s=e.waitingFor===3?" yet":"";return`no worker takes ${y(t.kind,64)}${s}${o&&`; near: ${o}`}`}case 5:return od(t);default:return e.jobsAhead>0?`${O(e.jobsAhead,"job")} before it`:"next in the queue"}}function od({concurrencyKey:t,concurrencyLimit:e}){let n=e>1?O(e,"job"):"another job";return`concurrency key ${y(t,64)} is taken by ${n}`}function hf({jobsAhead:t,jobsWaiting:e}){return e>t?`${Cs(t+1)} of ${e}`:e>0?`${Cs(t+1)} in the queue`:"waits for its turn"}function cn(t){return t?.waitingFor===2||t?.waitingFor===3}var sd={ATTRIBUTE:1,CHILD:2,PROPERTY:3,BOOLEAN_ATTRIBUTE:4,EVENT:5,ELEMENT:6},xt=t=>(...e)=>({_$litDirective$:t,values:e}),Ge=class{constructor(e){}get _$AU(){return this._$AM._$AU}_$AT(e,n,r){this._$Ct=e,this._$AM=n,this._$Ci=r}_$AS(e,n){return this.update(e,n)}update(e,n){return this.render(...n)}};var qs=class extends Ge{#e={};render(e){return Object.entries(e).map(([n,r])=>`${n}:${r??""}`).join(";")}update(e,[n]){let{style:r}=e.element;for(let o of Object.keys(this.#e))o in n||r.removeProperty(o);for(let[o,s]of Object.entries(n))s!==this.#e[o]&&(s===void 0?r.removeProperty(o):r.setProperty(o,s));return this.#e=n,j}},F=xt(qs);var gf="WORKER_LOST";function bf(t){return t.split(/(?<=[._/:-])/).map(e=>f`${e}<wbr />`)}function id(t,e,n){let{word:r,shape:o}=C(e.state),s=Math.max(e.retryPolicy?.maxAttempts??1,1),i=e.attempt+(e.state===1?1:0),a=i>1||s>1?` \xB7 attempt ${Math.max(i,1)} of ${Math.max(s,i)}`:"";return f`<header part="header">
    <h1 class="foreign" part="kind">
      <span class=${o}>${D(o)}</span> ${bf(y(e.kind,64))}
    </h1>
    <div class="status"><span class="state ${o}" part="state">${r}${a}</span>${n}</div>
    <p class="facts muted">
      <span class="mono foreign" title=${e.jobId}>${je(e.jobId,24)}</span
      ><milepost-copy .text=${e.jobId} .label=${"copy the job's id"}></milepost-copy>
      ${e.owner?f`<span title=${e.owner}>owner <span class="foreign value">${y(e.owner,128)}</span></span>`:h}
      ${Object.entries(e.labels).map(([l,c])=>f`<span class="label foreign" title=${`label ${l}=${c}`}>${y(l)}=${y(c)}</span>`)}
      ${e.parentJobId?f`<span>part of <a class="mono" href=${t.server.jobAddress(e.parentJobId)}>${je(e.parentJobId)}</a></span>`:h}
      ${e.workerId&&Re(e)?f`<span>worker <span class="mono foreign value">${y(e.workerId,64)}</span></span>`:h}
    </p>
  </header>`}function ad(t,{waiting:e,usual:n},r,o,s){let{shape:i}=C(t.state),a=ie(t),l=It(t),c=s?"":zs(t,o)||Vc(e);return f`<section class="progress" part="progress">
    ${l||c||t.state===2?f`<div class="numbers">
            <span class="percent">${l}</span><span class="left" part="remaining">${c}</span>
          </div>`:h}
    ${dn(t,r,a,i)}
    <div class="numbers muted">
      <span part="elapsed" title=${vf(t)}>${yf(t,o)}</span>
      <span part="evidence"
        >${s?h:Bc(t,o)||Wc(e)||Qc(t,n)}</span
      >
    </div>
  </section>`}function dn(t,e,n,r){let o=!n&&Re(t);return f`<div
    class="bar ${r} ${o?"unknown moving":""}"
    part="bar"
    role="progressbar"
    aria-label=${`progress of ${y(t.kind,64)}`}
    aria-valuemin="0"
    aria-valuemax="100"
    aria-valuenow=${n?Ne(t.fraction):h}
    aria-valuetext=${[It(t),C(t.state).word].filter(Boolean).join(", ")}
    ${F({"--fraction":`${e.fraction}`,"--seconds":`${e.seconds}s`})}
  >
    <div class="fill" part="fill"></div>
  </div>`}function It(t){if(A(t)&&t.state!==4&&t.fraction>=1||t.state===1&&t.attempt===0)return"";if(ie(t))return t.state===1&&t.attempt>0?`attempt ${t.attempt} ended at ${pt(t.fraction)}`:pt(t.fraction);let e=t.stages.filter(n=>!n.parentStageId&&Hc(n)).length;return e?`${O(e,"stage")} done`:""}function yf(t,e){let n=v(t.submitTime)??e,r=v(t.firstStartTime),o=v(t.endTime),s=((r??o??e)-n)/1e3;if(r===void 0)return`${T(s)} in the queue`;let i=t.attempt>1?` over ${t.attempt} attempts`:"",a=((o??e)-r)/1e3,l=t.attempt>1?"took":"ran",c=o===void 0?`${T(a)} since it started`:`${l} ${X(a)}${i}`;return s<1?c:`${c} \xB7 ${X(s)} in the queue before`}function vf(t){return[["submitted",v(t.submitTime)],["started",v(t.firstStartTime)],["attempt started",t.attempt>1?v(t.startTime):void 0],["ended",v(t.endTime)]].flatMap(([n,r])=>r===void 0?[]:[`${n} ${W(r)}`]).join(`
`)}function Ef(t,{code:e,message:n}){return`attempt ${t} ${e===gf?"lost its worker":"failed"}: ${y(n,1e3)||e}`}var wf={4:"good",5:"bad",7:"bad",6:"attention"};function ld(t,e,n){let r=Pl(e),{shape:o}=C(e.state),s=Fc(e,n),i=nd(t.waiting);return f`
    ${e.state===1?f`<p class="notice ${cn(t.waiting)?"attention":""}" part="waiting">
              <span class="waiting">${D("waiting")}</span>
              <span class="foreign"
                >${td(e,t.waiting,n)}${i?f`<br /><span class="muted">${i}</span>`:h}</span
              >
            </p>
            ${e.dispatch===2?h:f`<milepost-workers server=${t.server.address} .kind=${cn(t.waiting)?"":e.kind}></milepost-workers>`}`:h}
    ${e.state===1&&e.failure?f`<p class="notice bad">
            <span class="failed">${D("failed")}</span>
            <span class="foreign">${Ef(e.attempt,e.failure)}</span>
          </p>`:h}
    ${s.length?f`<ol class="notice steps" part="cancellation" aria-label="cancellation">
            ${s.map(({name:a,at:l,text:c})=>f`<li
                  class=${l===void 0?"muted":a==="forced"?"failed":""}
                  title=${l===void 0?"":W(l)}
                >
                  ${D(l===void 0?"waiting":a==="forced"?"failed":"succeeded")}
                  <span class="foreign">${c}</span>
                </li>`)}
            ${e.cancellation?.reason?f`<li class="reason foreign">“${y(e.cancellation.reason,500)}”</li>`:h}
          </ol>`:h}
    ${r?f`<section class="notice ending ${wf[e.state]??""}" part="ending">
            <span class=${o}>${D(o)}</span>
            <div>
              <p class="headline foreign">
                ${r.headline}
                ${e.failure?f`<code class="muted">${e.failure.code}</code>`:h}
              </p>
              ${e.message&&e.message!==e.failure?.message?f`<p class="foreign">${y(e.message,1e3)}</p>`:h}
              ${r.next?f`<p class="muted">${r.next}</p>`:h}
              ${e.failure?.detail?f`<details>
                      <summary>detail</summary>
                      <pre class="foreign mono" tabindex="0" aria-label="detail of the failure">
${de(e.failure.detail)}</pre>
                    </details>`:h}
            </div>
          </section>`:h}
  `}function cd(t,e){let n=A(t)?void 0:jc(t.stages);if(!n)return h;let r=v(n.startTime);return f`<p class="current" part="stage">
    <span class="running">${D("running")}</span>
    <span class="cut foreign">${y(n.title||n.stageId)}</span>
    <span class="muted">${n.fractionKnown?pt(n.fraction):""}</span>
    <span class="muted" title=${r===void 0?"":`since ${Q(r)}`}
      >${r===void 0?"":T((e-r)/1e3)}</span
    >
  </p>`}var dd=L`
  :host {
    container-type: inline-size;
  }
  @container (min-width: 1560px) {
    article.full {
      display: grid;
      grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
      column-gap: 32px;
      align-items: start;
    }
    article.full > * {
      grid-column: 1 / -1;
    }
    article.full > .stages {
      grid-column: 1;
    }
    article.full > .stages + .details {
      grid-column: 2;
    }
  }
  header {
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 4px 12px;
  }
  h1 {
    margin: 0;
    font-size: 20px;
    line-height: 28px;
    font-weight: 600;
  }
  h1 .icon {
    width: 18px;
    height: 18px;
    vertical-align: -3px;
  }
  .status {
    flex: 1 0 auto;
    display: flex;
    align-items: center;
    justify-content: space-between;
    gap: 12px;
    min-height: 28px;
  }
  .state {
    font-weight: 500;
  }
  .facts {
    flex-basis: 100%;
    min-width: 0;
    display: flex;
    flex-wrap: wrap;
    align-items: center;
    gap: 2px 12px;
    margin: 0;
  }
  .facts milepost-copy {
    margin-inline-start: -10px;
  }
  .value {
    color: var(--_text);
  }
  .facts > span {
    max-width: min(100%, 320px);
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .label {
    padding: 0 6px;
    border: 1px solid var(--_line);
    border-radius: 10px;
    font-size: 12px;
  }
  .progress {
    margin: 12px 0 16px;
  }
  .progress .bar {
    height: 8px;
    border-radius: 4px;
    margin: 4px 0;
  }
  .numbers {
    display: flex;
    justify-content: space-between;
    gap: 12px;
    min-height: 20px;
  }
  .numbers > :last-child {
    text-align: end;
  }
  @container (max-width: 479px) {
    .numbers.muted {
      flex-direction: column;
      gap: 0;
    }
    .numbers.muted > :last-child {
      text-align: start;
    }
  }
  .percent {
    font-size: 16px;
    font-weight: 600;
  }
  .notice {
    display: flex;
    gap: 8px;
    align-items: baseline;
    margin: 0 0 12px;
    padding: 8px 12px;
    border: 1px solid var(--_line);
    border-inline-start: 3px solid var(--_muted);
    border-radius: var(--_radius);
    background: var(--_raised);
  }
  .notice.attention {
    border-inline-start-color: var(--_warn);
  }
  .notice.good {
    border-inline-start-color: var(--_good);
  }
  .notice.bad {
    border-inline-start-color: var(--_bad);
  }
  .notice p {
    margin: 0;
  }
  .headline {
    font-weight: 600;
  }
  .headline code {
    font: 12px var(--_mono);
    font-weight: 400;
    margin-inline-start: 6px;
  }
  .steps {
    flex-wrap: wrap;
    gap: 4px 16px;
    list-style: none;
    border-inline-start-color: var(--_warn);
  }
  .reason {
    flex-basis: 100%;
    color: var(--_muted);
  }
  details summary {
    cursor: pointer;
    color: var(--_muted);
  }
  pre {
    margin: 4px 0 0;
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    max-height: 480px;
    overflow: auto;
  }
  .current .muted {
    white-space: nowrap;
  }
  .current {
    display: flex;
    gap: 8px;
    align-items: baseline;
    margin: 0 0 12px;
  }
  .stages {
    margin: 0 -8px 16px;
  }
  /* Where tabs go on beyond an edge, that edge is shaded. */
  [role="tablist"] {
    --_shade: color-mix(in srgb, var(--_text) 30%, transparent);
    display: flex;
    gap: 4px;
    border-bottom: 1px solid var(--_line);
    overflow-x: auto;
    scrollbar-width: none;
    background:
      linear-gradient(to right, var(--_surface) 60%, transparent) left / 40px 100% no-repeat local,
      linear-gradient(to left, var(--_surface) 60%, transparent) right / 40px 100% no-repeat local,
      linear-gradient(to right, var(--_shade), transparent) left / 14px 100% no-repeat scroll,
      linear-gradient(to left, var(--_shade), transparent) right / 14px 100% no-repeat scroll;
  }
  [role="tab"] {
    flex: none;
    border-radius: var(--_radius) var(--_radius) 0 0;
    padding: 4px 10px;
    border-bottom: 2px solid transparent;
    color: var(--_muted);
    white-space: nowrap;
    outline-offset: -2px;
  }
  [role="tab"][aria-selected="true"],
  [role="tab"][aria-selected="true"]:hover:not(:disabled) {
    color: var(--_text);
    border-bottom-color: var(--_accent);
  }
  @container (max-width: 479px) {
    [role="tablist"] {
      gap: 0;
    }
    [role="tab"] {
      padding-inline: 7px;
    }
  }
  [role="tabpanel"] > table,
  [role="tabpanel"] > .json {
    margin-top: 12px;
  }
  table {
    width: 100%;
    border-collapse: collapse;
  }
  th,
  td {
    padding: 4px 12px 4px 0;
    text-align: start;
    vertical-align: top;
    border-bottom: 1px solid var(--_line);
  }
  td milepost-copy {
    margin-block: -4px;
  }
  td > .foreign {
    display: -webkit-box;
    -webkit-box-orient: vertical;
    -webkit-line-clamp: 3;
    overflow: hidden;
  }
  th {
    color: var(--_muted);
    font-weight: 400;
    font-size: 12px;
  }
  td.name {
    min-width: 120px;
    max-width: 320px;
  }
  td.type {
    max-width: 160px;
  }
  .number {
    text-align: end;
    white-space: nowrap;
  }
  .json {
    position: relative;
  }
  .json milepost-copy {
    position: absolute;
    inset-inline-end: 8px;
    top: 4px;
  }
  .json pre {
    padding: 8px 12px;
    background: var(--_raised);
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
  }
`;var zr=L`
  @container (max-width: 639px) {
    table,
    tbody {
      display: block;
    }
    thead {
      display: none;
    }
    tr {
      display: flex;
      flex-wrap: wrap;
      gap: 0 12px;
      padding: 6px 0;
      border-bottom: 1px solid var(--_line);
    }
    td,
    tbody th {
      display: block;
      min-width: 0;
      max-width: 100%;
      padding: 0;
      border: 0;
      text-align: start;
    }
    td:empty {
      display: none;
    }
    [data-label]::before {
      content: attr(data-label) " ";
      color: var(--_muted);
      font: 12px var(--_font);
    }
    .own-line {
      flex-basis: 100%;
    }
  }
`;var ud=640,Qr=class extends St{static properties={log:{},cancel:{type:Boolean},compact:{type:Boolean},tab:{state:!0},narrow:{state:!0},stageId:{state:!0},line:{attribute:!1},said:{state:!0}};static styles=[V,dd,zr];#e=new ne;#t;#n=new ResizeObserver(([e])=>{this.narrow=(e?.contentRect.width??ud)<ud});constructor(){super(),this.stageId=this.said="",this.line=0,this.log="off",this.cancel=this.compact=!1,this.narrow=!1}connectedCallback(){super.connectedCallback(),this.#n.observe(this)}disconnectedCallback(){super.disconnectedCallback(),this.#n.disconnect()}askToCancel(){this.#s&&this.renderRoot.querySelector("milepost-cancel-sheet")?.open()}get stages(){return this.renderRoot.querySelector("milepost-stages-view")}get logView(){return this.renderRoot.querySelector("milepost-log-view")}show(e){this.tab=e}storeOf(e,n){return e.job(n)}forget(){this.tab=void 0,this.stageId=this.said="",this.line=0,this.#e=new ne,this.#t=void 0}changed(){super.changed(),this.store?.job&&this.#f(this.store.job)}render(){let{store:e}=this;if(!e)return h;let{job:n}=e;if(!n)return this.#r(e);let{now:r}=e,o=Vl(e.connection,r),s=!this.narrow&&!this.compact;return f`<article part="job" class=${this.log==="full"?"full":""}>
      ${o?f`<p class="notice attention" part="stale">${o}</p>`:h}
      ${id(e,n,this.#o(n))}
      ${ad(n,e,this.#e.update(n.fraction,n.attempt,r),r,o!=="")}
      ${ld(e,n,r)}
      ${s?f`<section class="stages" @milepost-select=${this.#m}>${this.#i()}</section>`:cd(n,r)}
      ${this.log==="tail"?f`<milepost-log-view tail .store=${e}></milepost-log-view>`:h}
      ${this.log==="full"?this.#a(n,s):h}
      <p class="hidden-text" role="status">${this.said}</p>
      <milepost-cancel-sheet .store=${e}></milepost-cancel-sheet>
    </article>`}#r(e){let{connection:n}=e,r=y(e.jobId);return n.state==="missing"?f`<p class="notice bad" role="alert">
        There is no job ${r}, or it is not yours to see.
      </p>`:n.error?f`<p class="notice attention" role="alert">
        ${r} cannot be shown yet: ${y(n.error,1e3)}
      </p>`:f`<p class="muted">loading…</p>`}#o(e){return this.#s?f`<button
      part="cancel"
      @click=${()=>{this.askToCancel()}}
    >
      ${e.state===3?"Cancel sooner\u2026":"Cancel\u2026"}
    </button>`:h}get#s(){let e=this.store?.job;return this.cancel&&e!==void 0&&!A(e)&&(this.store?.mayCancel??!1)}#i(){return f`<milepost-stages-view
      exportparts="stage, track"
      ?narrow=${this.narrow}
      .store=${this.store}
    ></milepost-stages-view>`}#a(e,n){let o=[["log","log",!0],["stages",`stages (${e.stages.length})`,!n&&e.stages.length>0],["artifacts",`artifacts (${e.artifacts.length})`,e.artifacts.length>0],["result","result",e.result!==void 0],["input","input",e.input!==void 0],["attempts",`attempts (${e.attempt})`,e.attempt>0],["children",this.#u(e),e.plannedChildren>0||(this.store?.children.length??0)>0],["raw","raw",!0]].filter(([,,a])=>a),s=this.tab??(this.line>0?"log":this.#l(e)),i=o.some(([a])=>a===s)?s:"log";return f`<section class="details">
      <div role="tablist" aria-label="details" @keydown=${this.#p}>
        ${o.map(([a,l])=>f`<button
              role="tab"
              id="tab-${a}"
              class="plain"
              aria-selected=${a===i}
              aria-controls="panel"
              tabindex=${a===i?0:-1}
              @click=${()=>{this.tab=a}}
            >
              ${l}
            </button>`)}
      </div>
      <div role="tabpanel" id="panel" aria-labelledby="tab-${i}">${this.#d(i,e)}</div>
    </section>`}#l(e){let n=this.store?.log,r=!n?.isLoaded||n.hasOlder||ue(n.lines)>0;return e.plannedChildren>0&&e.stages.length===0?"children":e.attempt===0?Object.keys(e.input??{}).length>0?"input":"log":A(e)&&!r&&e.result?"result":"log"}#u(e){let{children:n,hasMoreChildren:r}=this.store??{};return`children (${Math.max(n?.length??0,e.plannedChildren)}${r?"+":""})`}#d(e,n){let{store:r}=this,o=r?.now??0;switch(e){case"log":return f`<milepost-log-view
          .stageId=${this.stageId}
          .line=${this.line}
          .store=${r}
        ></milepost-log-view>`;case"stages":return this.#i();case"artifacts":return zl(n.artifacts);case"result":return fr(n.result,"result");case"input":return fr(n.input,"input");case"attempts":return ql(r?.attempts??[],o);case"children":return ec(r?.children??[],r?.hasMoreChildren??!1,s=>r?.server.jobAddress(s)??"",o);case"raw":return Ql(n)}}#p=e=>{let n={ArrowRight:1,ArrowLeft:-1}[e.key];if(n===void 0)return;let r=[...this.renderRoot.querySelectorAll("[role=tab]")],o=r.findIndex(i=>i.getAttribute("aria-selected")==="true"),s=r[(o+n+r.length)%r.length];s?.click(),s?.focus(),e.preventDefault()};#m=e=>{this.stageId=e.detail.stageId};#f(e){let n=this.#t?Yl(this.#t,e):"";this.#t=$s(e),n&&(this.said=n)}};var{I:Sf}=Ei,pd=t=>t;var md=()=>document.createComment(""),At=(t,e,n)=>{let r=t._$AA.parentNode,o=e===void 0?t._$AB:e._$AA;if(n===void 0){let s=r.insertBefore(md(),o),i=r.insertBefore(md(),o);n=new Sf(s,i,t,t.options)}else{let s=n._$AB.nextSibling,i=n._$AM,a=i!==t;if(a){let l;n._$AQ?.(t),n._$AM=t,n._$AP!==void 0&&(l=t._$AU)!==i._$AU&&n._$AP(l)}if(s!==o||a){let l=n._$AA;for(;l!==s;){let c=pd(l).nextSibling;pd(r).insertBefore(l,o),l=c}}}return n},Ue=(t,e,n=t)=>(t._$AI(e,n),t),xf={},fd=(t,e=xf)=>t._$AH=e,hd=t=>t._$AH,qr=t=>{t._$AR(),t._$AA.remove()};var gd=(t,e,n)=>{let r=new Map;for(let o=e;o<=n;o++)r.set(t[o],o);return r},Nt=xt(class extends Ge{constructor(t){if(super(t),t.type!==sd.CHILD)throw Error("repeat() can only be used in text expressions")}dt(t,e,n){let r;n===void 0?n=e:e!==void 0&&(r=e);let o=[],s=[],i=0;for(let a of t)o[i]=r?r(a,i):i,s[i]=n(a,i),i++;return{values:s,keys:o}}render(t,e,n){return this.dt(t,e,n).values}update(t,[e,n,r]){let o=hd(t),{values:s,keys:i}=this.dt(e,n,r);if(!Array.isArray(o))return this.ut=i,s;let a=this.ut??=[],l=[],c,d,m=0,b=o.length-1,p=0,g=s.length-1;for(;m<=b&&p<=g;)if(o[m]===null)m++;else if(o[b]===null)b--;else if(a[m]===i[p])l[p]=Ue(o[m],s[p]),m++,p++;else if(a[b]===i[g])l[g]=Ue(o[b],s[g]),b--,g--;else if(a[m]===i[g])l[g]=Ue(o[m],s[g]),At(t,l[g+1],o[m]),m++,g--;else if(a[b]===i[p])l[p]=Ue(o[b],s[p]),At(t,o[m],o[b]),b--,p++;else if(c===void 0&&(c=gd(i,p,g),d=gd(a,m,b)),c.has(a[m]))if(c.has(a[b])){let E=d.get(i[p]),x=E!==void 0?o[E]:null;if(x===null){let M=At(t,o[m]);Ue(M,s[p]),l[p]=M}else l[p]=Ue(x,s[p]),At(t,o[m],x),o[E]=null;p++}else qr(o[b]),b--;else qr(o[m]),m++;for(;p<=g;){let E=At(t,l[g+1]);Ue(E,s[p]),l[p++]=E}for(;m<=b;){let E=o[m++];E!==null&&qr(E)}return this.ut=i,fd(t,l),j}});var ei=14,If=4,Af=10;function bd(t,e){let{selected:n,depth:r,address:o,movement:s,runs:i,waiting:a,now:l,mayOpen:c}=e,d=Rf(t,a,l),m=t.state===1,{word:b,shape:p}=C(t.state),g=v(t.submitTime)??l;return f`<div role="listitem">
    <a
      class="row ${n?"selected":""} ${d?"noted":""} ${m?"waits":""}"
      part="row"
      href=${o}
      @click=${E=>{!E.ctrlKey&&!E.metaKey&&!E.shiftKey&&!c()&&E.preventDefault()}}
    >
      <span class=${p}>${D(p)} <span class="word">${b}</span></span>
      <span class="name" ${F({"--depth":`${Math.min(r,6)}`})}
        >${t.parentJobId?f`<span
                class="child muted"
                role="img"
                aria-label="child"
                title=${`part of ${t.parentJobId}`}
                >↳</span
              >`:h}<span class="kind foreign cut" title=${t.kind}>${y(t.kind,64)}</span
        >${Nf(t.jobId)}</span
      >
      <span class="owner foreign cut">${y(t.owner,128)}</span>
      <span class="progress"
        >${Re(t)?f`${dn(t,s,ie(t),p)}
                <span class="number">${It(t)}</span>`:f`<span
                class="note cut foreign ${m&&cn(a)?"attention":"muted"}"
                title=${d}
                >${d}</span
              >`}</span
      >
      <span class="remaining number muted">${kf(t,l)}</span>
      <span class="number muted" title=${`submitted ${W(g)}`}
        >${cr((l-g)/1e3)}<span class="ago"> ago</span></span
      >
      <span class="worker foreign cut mono muted">${Re(t)?y(t.workerId,64):""}</span>
      <span class="runs-cell">${Tf(i)}</span>
    </a>
  </div>`}function Nf(t){let e=t.length>Af?-If:0,n=e?f`<span class="cut">${y(t.slice(0,e))}</span>`:h;return f`<span class="id mono foreign" title=${t}>${n}${y(t.slice(e))}</span>`}function Rf(t,e,n){if(Re(t))return"";let{message:r="",code:o=""}=t.failure??{},s=y(r||o,120);return[t.state===1?rd(t,e,n):"",s].filter(Boolean).join(" \xB7 ")}function kf(t,e){if(t.state===1)return"";let n=v(t.firstStartTime),r=v(t.endTime),o=t.attempt>1?"took":"ran";return n!==void 0&&r!==void 0?`${o} ${X((r-n)/1e3)}`:A(t)||n===void 0?"":Hr(t,e)||T((e-n)/1e3)}function Tf(t){if(t.length<2)return h;let e=Math.max(...t.map(r=>r.seconds),.001),n=t.map(r=>`${X(r.seconds)} ${C(r.state).word}`);return f`<svg
    class="runs"
    viewBox="0 0 ${ei*6} 18"
    role="img"
    aria-label=${`last runs: ${n.join(", ")}`}
  >
    <title>${n.join(`
`)}</title>
    ${t.map((r,o)=>{let s=Math.max(r.seconds/e*17,1.5),{shape:i}=C(r.state),a=r.state===4;return P`<rect class=${i} x=${o*6+.5} y=${17.5-s} width="4" height=${s} fill=${a?"currentColor":"none"} stroke="currentColor"/>`})}
  </svg>`}function yd({filter:t,totals:e,isComplete:n,onFilter:r,onFind:o}){let s=a=>l=>{r({...t,...a(l.target.value)})},i=a=>f`<input
      aria-label=${a}
      placeholder=${a}
      .value=${t[a]}
      @change=${s(l=>({[a]:l.trim()}))}
    />`;return f`<div class="totals" role="group" aria-label="state">
      ${Nc.map(([a,l])=>{let c=e.get(l)??0,{shape:d}=C(l),m=n(l)?"":"+";return f`<button
          class=${c||m?"":"none"}
          aria-pressed=${t.states.includes(l)}
          @click=${()=>{r({...t,states:Cf(t.states,l)})}}
        >
          <span class=${d}>${D(d)}</span> ${$(c)}${m} ${a}
        </button>`})}
    </div>
    <form
      class="filters"
      role="search"
      @submit=${a=>{a.preventDefault(),o()}}
    >
      <input
        type="search"
        name="q"
        aria-label="search by id, kind, owner or label"
        placeholder="search, or an id  /"
        .value=${t.search}
        @input=${s(a=>({search:a}))}
      />
      ${i("kind")} ${i("owner")}
      <input
        aria-label="label"
        placeholder="label key=value"
        .value=${t.labels.join(" ")}
        @change=${s(a=>({labels:a.split(/\s+/).filter(Boolean)}))}
      />
      <button hidden></button>
    </form>`}function vd(){return f`<div class="headings" aria-hidden="true">
    <div class="columns">
      <span>state</span><span class="name">job</span><span class="owner">owner</span><span>progress</span
      ><span class="remaining number">time</span><span class="number">submitted</span
      ><span class="worker">worker</span><span class="runs-cell">last runs</span>
    </div>
  </div>`}function Cf(t,e){return t.includes(e)?t.filter(n=>n!==e):[...t,e]}var Ed=L`
  :host {
    container-type: inline-size;
    display: flex;
    flex-direction: column;
    min-height: 0;
  }
  .totals,
  .filters {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    margin-bottom: 12px;
  }
  .totals button {
    display: inline-flex;
    gap: 6px;
    align-items: center;
    border-radius: 14px;
    padding: 0 12px;
  }
  .totals .none {
    color: var(--_muted);
  }
  .totals .none .icon {
    opacity: 0.5;
  }
  .totals button[aria-pressed="true"] {
    background: var(--_raised);
    border-color: currentColor;
  }
  .filters input {
    flex: 1 1 140px;
    min-width: 0;
  }
  .view {
    position: relative;
    flex: 1 1 auto;
    max-height: var(--milepost-list-height, 70vh);
    overflow: hidden auto;
    overscroll-behavior: contain;
    scrollbar-gutter: stable;
    border-top: 1px solid var(--_line);
  }
  .area {
    position: relative;
    overflow: hidden;
  }
  .rows {
    position: absolute;
    inset-inline: 0;
    top: 0;
  }
  .row,
  .columns {
    display: grid;
    grid-template-columns:
      104px minmax(150px, 1.6fr) minmax(60px, 0.7fr) minmax(120px, 2.4fr) 116px 84px
      minmax(60px, 0.6fr) 88px;
    column-gap: 12px;
    align-items: center;
    height: 36px;
    padding: 0 8px;
    border-bottom: 1px solid var(--_line);
    color: inherit;
    text-decoration: none;
  }
  .headings {
    overflow: hidden;
    scrollbar-gutter: stable; /* so that its columns are those of the rows */
    color: var(--_muted);
    font-size: 12px;
  }
  .headings .columns {
    height: 20px;
    border: 0;
  }
  .row > *,
  .columns > * {
    min-width: 0;
  }
  a.row:hover,
  a.row.selected {
    background: var(--_raised);
  }
  a.row:focus-visible {
    outline-offset: -2px;
  }
  .group {
    display: flex;
    gap: 8px;
    align-items: end;
    height: 36px;
    padding: 0 8px 4px;
    color: var(--_muted);
    font-size: 12px;
    border-bottom: 1px solid var(--_line);
  }
  .number {
    text-align: end;
    white-space: nowrap;
  }
  .progress {
    display: flex;
    gap: 8px;
    align-items: center;
  }
  .progress .bar {
    flex: 1;
  }
  .progress .number {
    min-width: 92px; /* of "3 stages done", so that all bars end at one place */
  }
  /* What a job waits for has the room of its remaining time, too. */
  .waits .progress {
    grid-column-end: span 2;
  }
  .waits .remaining {
    display: none;
  }
  .note.attention {
    color: var(--_warn);
  }
  .name {
    display: flex;
    gap: 8px;
    align-items: baseline;
    padding-inline-start: calc(var(--depth) * 14px);
  }
  .name .child {
    flex: none;
    margin-inline-end: -2px;
  }
  /* The beginning of the id gives way first, then the kind: their titles have all of them. */
  .name .kind {
    flex: 0 1 auto;
    font-weight: 600;
  }
  .name .id {
    flex: 0 999 auto;
    min-width: 10ch; /* its end, or all of a short one */
    color: var(--_muted);
    white-space: nowrap;
  }
  .name .id .cut {
    display: inline-block;
    max-width: calc(100% - 4ch);
    vertical-align: bottom;
  }
  .runs {
    width: 88px;
    height: 18px;
  }
  .runs .running {
    fill: currentColor;
  }
  /* Over the first row, so that nothing moves when it comes. */
  .news {
    z-index: 1;
    height: 28px;
    margin: 0 auto -28px;
  }
  .notice {
    padding: 12px 8px;
    margin: 0;
  }
  @container (max-width: 899px) {
    .row,
    .columns {
      grid-template-columns: 104px minmax(150px, 1.4fr) minmax(110px, 1.4fr) 116px 84px;
    }
    :is(.row, .columns) :is(.owner, .worker, .runs-cell) {
      display: none;
    }
    .progress .number {
      min-width: 40px;
    }
  }
  /* The shapes say what the words do, which screen readers still read. */
  @container (max-width: 759px) {
    .row {
      grid-template-columns: 16px minmax(190px, 1.6fr) minmax(80px, 1fr) 116px 84px;
    }
    .row .word {
      position: absolute;
      clip-path: inset(50%);
    }
    .headings {
      display: none;
    }
  }
  @container (max-width: 559px) {
    .row {
      grid-template-columns: 16px minmax(0, 1fr) max-content 44px;
      column-gap: 8px;
    }
    .row .remaining,
    .row .bar,
    .row .ago,
    .name .id .cut,
    .totals .none:not([aria-pressed="true"]) {
      display: none;
    }
    .row .progress {
      justify-content: end;
    }
    .progress .number {
      min-width: 0;
    }
    /* The end of a long id, or all of a short one: the kind has the rest of the room. */
    .name .id {
      flex: none;
      min-width: 0;
    }
    .row.noted {
      grid-template-rows: 19px 15px;
      align-content: center;
    }
    .row.noted > :first-child {
      grid-row: 1 / 3;
    }
    .row.noted > .name {
      grid-column: 2 / 4;
    }
    .row.noted > .progress {
      grid-area: 2 / 2 / 3 / -1;
      justify-content: start;
      font-size: 11px;
      line-height: 15px;
    }
    .row.noted > .progress + .remaining + .number {
      grid-area: 1 / 4;
    }
  }
`;var Oe=36,Lf=1e3,wd=10,eo=class extends Y{static properties={kind:{},owner:{},server:{},controls:{type:Boolean},filter:{attribute:!1},store:{attribute:!1},selected:{state:!0},hovered:{state:!0}};static styles=[V,Ed];#e=[];#t=-1;#n=new Map;#r=new Map;#o=new Map;#s=[];#i;#a=[];#l=new ResizeObserver(()=>{this.requestUpdate()});constructor(){super(),this.kind=this.owner=this.server=this.selected="",this.controls=this.hovered=!1,this.filter=Ps}connectedCallback(){super.connectedCallback(),this.#l.observe(this),this.#a.push(me.add(()=>{this.requestUpdate()}))}disconnectedCallback(){super.disconnectedCallback(),this.#l.disconnect();for(let e of this.#a)e();this.#a=[],this.#i=void 0}search(){this.renderRoot.querySelector("input")?.focus()}move(e){let n=this.#e.filter(a=>a.type==="job"),r=n.findIndex(a=>a.key===this.selected),o=n[Math.min(Math.max(r+e,0),n.length-1)];if(!o)return;this.selected=o.key;let s=this.#h,i=this.#e.indexOf(o)*Oe;s&&i<s.scrollTop&&(s.scrollTop=i),s&&i+Oe>s.scrollTop+s.clientHeight&&(s.scrollTop=i+Oe-s.clientHeight)}open(){this.selected&&this.store&&this.#u(this.selected)&&(location.href=this.store.server.jobAddress(this.selected))}#u(e){return this.dispatchEvent(new CustomEvent("milepost-open",{detail:{jobId:e},bubbles:!0,composed:!0,cancelable:!0}))}willUpdate(e){(e.has("kind")||e.has("owner"))&&(this.filter={...this.filter,kind:this.kind||(e.get("kind")?"":this.filter.kind),owner:this.owner||(e.get("owner")?"":this.filter.owner)}),(e.has("filter")||e.has("server")||e.has("kind")||e.has("owner"))&&(this.store=Je(this.server).jobs(this.filter)),this.#y(),this.#b(e.has("filter"))}render(){let{store:e}=this;return e?f`${this.controls?yd({filter:this.filter,totals:this.#r,isComplete:n=>e.isComplete(n),onFilter:this.#g,onFind:this.#E}):h}
      ${this.#c?f`<button class="news" @click=${this.#v}>show changes</button>`:h}
      ${this.controls?vd():h}
      <div
        class="view"
        part="list"
        role="group"
        aria-label="jobs"
        @scroll=${this.#w}
        @pointerenter=${()=>{this.hovered=!0}}
        @pointerleave=${()=>{this.hovered=!1}}
      >
        <div class="area" ${F({height:`${this.#e.length*Oe}px`})}>${this.#d(e)}</div>
        ${this.#f(e)}
      </div>`:f``}#d(e){let n=this.#h,r=n?.scrollTop??0,o=Math.max(Math.floor(r/Oe)-wd,0),s=Math.ceil((r+(n?.clientHeight??800))/Oe)+wd,i=this.#e.slice(o,s),{now:a}=e;return this.#s=i.flatMap(l=>l.type==="job"&&e.get(l.key)?.state===1?[l.key]:[]),i.length===0?f``:f`<div class="rows" role="list" ${F({transform:`translateY(${o*Oe}px)`})}>
      ${Nt(i,l=>l.key,l=>{if(l.type==="group"){let d=e.isGroupComplete(l.key)?"":"+";return f`<div class="group" role="listitem">
              ${l.key} <span>${$(l.count)}${d}</span>
            </div>`}let c=e.get(l.key);return c?this.#p(e,c,l.depth,a):f`<div class="row muted" role="listitem">deleted</div>`})}
    </div>`}#p(e,n,r,o){this.#o.size>Lf&&this.#o.clear();let s=this.#o.get(n.jobId);return s||this.#o.set(n.jobId,s=new ne),bd(n,{selected:n.jobId===this.selected,depth:r,address:e.server.jobAddress(n.jobId),movement:s.update(n.fraction,n.attempt,o),runs:this.#n.get(n.kind)??[],waiting:e.waitingOf(n.jobId),now:o,mayOpen:()=>this.#u(n.jobId)})}#m(){return this.controls?f`<button
      @click=${()=>{this.#g(Ps)}}
    >
      show all
    </button>`:h}#f(e){if(e.error)return f`<p class="notice failed" role="alert">
        The jobs could not be loaded: ${y(e.error)}
        <button
          @click=${()=>{e.retry()}}
        >
          try again
        </button>
      </p>`;if(e.isLoading)return f`<p class="notice muted">loading…</p>`;if(this.#e.length>0)return h;if(Fr(this.filter))return f`<p class="notice muted">no jobs that match ${this.#m()}</p>`;let n=f` <code>milepost submit KIND</code> submits one.`;return f`<p class="notice muted">no jobs yet${this.controls?f`.${n}`:h}</p>`}updated(){let e=this.#h,{store:n}=this;!e||!n||(n.lookUpWaiting(this.#s),e.scrollTop+3*e.clientHeight>this.#e.length*Oe&&n.loadMore())}#b(e){let{store:n}=this;!n||n.version===this.#t&&!e||this.hovered&&!e&&this.#e.length>0||(this.#t=n.version,this.#e=Cc(n.all(),this.filter,n.now),this.#r=Lc(n.all(),this.filter),this.#n=_c(n.all(),ei))}get#c(){return this.hovered&&this.store!==void 0&&this.store.version!==this.#t}#v=()=>{this.#t=-1,this.#e=[],this.requestUpdate()};#y(){this.store!==this.#i&&(this.#a.splice(1).forEach(e=>{e()}),this.#i=this.store,this.#t=-1,this.store&&this.#a.push(this.store.subscribe(()=>{this.requestUpdate()})))}#g=e=>{this.filter=e,this.dispatchEvent(new CustomEvent("milepost-filter",{detail:{filter:e},bubbles:!0,composed:!0}))};#E=async()=>{let e=this.filter.search.trim();e&&await this.store?.exists(e)&&(location.href=this.store?.server.jobAddress(e)??"")};#w=()=>{this.requestUpdate()};get#h(){return this.renderRoot.querySelector(".view")}};var to=class extends St{static styles=[V,L`
      :host {
        display: inline-flex;
        align-items: center;
        gap: 8px;
        width: 100%;
        min-width: 0;
        white-space: nowrap;
      }
      .bar {
        flex: 1 1 60px;
        min-width: 24px;
      }
      .percent {
        min-width: 44px;
        text-align: end;
      }
    `];#e=new ne;storeOf(e,n){return e.progressOf(n)}forget(){this.#e=new ne}render(){let{store:e}=this;if(!e)return h;let{job:n}=e;if(!n)return f`<span class="muted">${e.connection.state==="missing"?"no such job":"\u2026"}</span>`;let{now:r}=e,{word:o,shape:s}=C(n.state),i=tn(e.connection,r),a=i.stale?"":Hr(n,r);return f`<span class=${s} part="state" title=${o}
        >${D(s)}<span class="hidden-text">${o}</span></span
      >
      ${dn(n,this.#e.update(n.fraction,n.attempt,r),ie(n),s)}
      <span class="percent" part="percent">${It(n)}</span>
      ${a?f`<span class="muted" part="remaining">${a}</span>`:h}
      ${i.stale?f`<span class="muted" title=${i.text}>stale</span>`:h}`}};function Sd(t,e){let n=y(e,64),r=t.filter(d=>!un(d)),o=_f(t.filter(un));if(r.length===0)return o||(e?`no worker takes ${n}`:"no worker is connected");let s=e&&` ${r.length===1?"takes":"take"} ${n}`,i=ti(r,({jobCount:d})=>d),a=ti(r,({maxConcurrency:d})=>d),l=i>a?"all":`${i} of`,c=a>0?`${l} ${O(a,"place")} taken`:"no room for jobs";return[`${O(r.length,"worker")}${s}`,c,o].filter(Boolean).join(" \xB7 ")}function un({kinds:t}){return t.length===0}function _f(t){let{length:e}=t;if(e===0)return"";let n=ti(t,({jobCount:o})=>o),r=e===1?"1 process":`${$(e)} processes`;return n>0?`${O(n,"job")} claimed by ${r}`:`${r} ${e===1?"claims":"claim"} jobs`}function ti(t,e){return t.reduce((n,r)=>n+e(r),0)}var $f=5e3,Mf=200,no=class extends Y{static properties={kind:{},server:{},quiet:{type:Boolean},workers:{state:!0}};static styles=[V,L`
      :host {
        container-type: inline-size;
        margin-bottom: 8px;
      }
      summary {
        cursor: pointer;
        color: var(--_muted);
      }
      .area {
        max-height: 40vh;
        margin: 4px 0 12px;
        overflow: auto;
      }
      table {
        width: 100%;
        border-collapse: collapse;
      }
      th,
      td {
        padding: 4px 12px 4px 0;
        border-top: 1px solid var(--_line);
        font-weight: normal;
        text-align: start;
        vertical-align: top;
        overflow-wrap: anywhere;
      }
      thead th {
        border: 0;
        color: var(--_muted);
      }
    `,zr];#e=-1/0;#t;constructor(){super(),this.kind=this.server="",this.quiet=!1}connectedCallback(){super.connectedCallback(),this.#t=me.add(()=>void this.#o())}disconnectedCallback(){super.disconnectedCallback(),this.#t?.()}willUpdate(e){!e.has("kind")&&!e.has("server")||(this.workers=void 0,this.#e=-1/0,this.#o())}render(){let{workers:e,kind:n}=this;if(!e||this.quiet&&e.length===0)return h;let r=Sd(e,n);if(e.length===0)return f`<p class="muted" part="workers">${r}</p>`;let o=this.#r.clock.now();return f`<details part="workers">
      <summary class="foreign">${r}</summary>
      <div class="area" tabindex="0" role="group" aria-label="workers">
        <table>
          <thead>
            <tr>
              <th scope="col">worker</th>
              <th scope="col">jobs</th>
              <th scope="col">takes</th>
              <th scope="col">node</th>
              <th scope="col">connected</th>
              <th scope="col">heard</th>
            </tr>
          </thead>
          <tbody>
            ${e.slice(0,Mf).map(s=>this.#n(s,o))}
          </tbody>
        </table>
      </div>
    </details>`}#n(e,n){let{workerId:r,peer:o,node:s,sdk:i,kinds:a,jobIds:l,jobCount:c,maxConcurrency:d}=e;return f`<tr>
      <th
        scope="row"
        class="foreign mono own-line"
        title=${`${y(r)}
${y(o)}
${y(i)}`}
      >
        ${y(r,64)}
      </th>
      <td data-label="jobs">
        <span title="jobs, of as many as it takes at once"
          >${c}${un(e)?h:` of ${d}`}</span
        >
        ${l.slice(0,5).map(m=>f`<a class="mono" href=${this.#r.jobAddress(m)}>${je(m)}</a> `)}
      </td>
      <td class="foreign own-line" data-label="takes">
        ${un(e)?f`<span class="muted">what it claims</span>`:a.map(m=>y(m,64)).join(", ")}
      </td>
      <td class="foreign" data-label="node">${y(s,64)}</td>
      <td data-label="connected">${xd(e.connectTime,n)}</td>
      <td data-label="heard">${xd(e.lastHeardTime,n)}</td>
    </tr>`}get#r(){return Je(this.server)}async#o(){if(ke()||performance.now()-this.#e<$f)return;this.#e=performance.now();let{kind:e,server:n}=this,r=this.#r;if(await r.whoAmI(),!r.may("see workers"))return;let o=[];try{await q();for await(let s of r.client.listWorkers(e))o.push(s),await q()}catch(s){z($e(s),"PERMISSION_DENIED")&&(this.#e=1/0);return}e===this.kind&&n===this.server&&(this.workers=o)}};function xd(t,e){let n=v(t);return n===void 0?h:f`<span title=${W(n)}>${cr((e-n)/1e3)} ago</span>`}var Jf=1500,ro=class extends Y{static properties={text:{},label:{},done:{state:!0}};static styles=[V,L`
      :host {
        display: inline-block;
      }
      button.plain {
        display: inline-flex;
        gap: 6px;
        align-items: center;
        color: var(--_muted);
      }
      ::slotted(*) {
        margin-inline-end: 6px;
      }
    `];#e;constructor(){super(),this.text="",this.label="copy",this.done=""}render(){return f`<button
        class="plain"
        part="button"
        title=${this.label}
        aria-label=${this.label}
        @click=${this.#t}
      >
        <slot></slot>${Hl()}</button
      ><span role="status" class=${this.done?"":"hidden-text"}>${this.done}</span>`}#t=async()=>{try{await navigator.clipboard.writeText(this.text),this.done="copied"}catch{this.done="The browser does not allow copying."}clearTimeout(this.#e),this.#e=setTimeout(()=>{this.done=""},Jf)}};var Gf=2e4,pn={stageIds:void 0,severity:1,text:""},oo=class{constructor(e){this.source=e}generation=gt();prepended=0;dropped=0;boundaries=0;#e=[];#t=pn;#n="";#r=0;#o=new He;get lines(){return this.#e}get shown(){return this.#t===pn?this.source:this}get isBusy(){return this.#t!==pn&&this.#r>0}setFilter(e){let n=!e.stageIds&&e.severity<=1&&!e.text;this.#t=n?pn:e,this.#n=e.text.toLowerCase(),this.#s(),this.update()}update(){let{reset:e,dropped:n,prepended:r,appended:o}=this.#o.read(this.source);if(this.#t!==pn){if(e)this.#s();else{this.#r=Math.max(this.#r-n,0)+r.length,n>0&&this.#a();let s=o.filter(i=>this.#l(i));for(let i of s)this.#e.push(i);this.boundaries+=ht(s)}this.#i()}}#s(){this.#o.read(this.source),this.generation=gt(),this.prepended=this.dropped=this.boundaries=0,this.#e=[],this.#r=this.source.lines.length}#i(){if(this.#r===0)return;let e=Math.max(this.#r-Gf,0),n=this.source.lines.slice(e,this.#r).filter(r=>this.#l(r));this.#r=e,this.#e=n.concat(this.#e),this.prepended+=n.length,this.boundaries+=ht(n)}#a(){let e=this.source.lines[0]?.sequence??1/0,n=0;for(;(this.#e[n]?.sequence??1/0)<e;)n+=1;this.boundaries-=ht(this.#e.splice(0,n)),this.dropped+=n}#l(e){let{stageIds:n,severity:r}=this.#t;return e.startsAttempt?!0:e.severity>=r&&(!n||n.has(e.stageId))&&(!this.#n||e.text.toLowerCase().includes(this.#n))}};var so=class{#e=[];#t=0;#n=0;get count(){return this.#t}get total(){return this.#n}clear(){this.#e=[],this.#t=this.#n=0}append(e){for(let n of e){let r=this.#e.at(-1);(!r||r.heights.length>=512)&&this.#e.push(r={heights:[],sum:0}),r.heights.push(n),r.sum+=n,this.#n+=n}this.#t+=e.length}prepend(e){let n=[];for(let r=0;r<e.length;r+=512){let o=e.slice(r,r+512),s=o.reduce((i,a)=>i+a,0);n.push({heights:o,sum:s}),this.#n+=s}this.#e=n.concat(this.#e),this.#t+=e.length}drop(e){let n=Math.min(e,this.#t);this.#t-=n;let r=0;for(let i of this.#e){if(i.heights.length>n)break;n-=i.heights.length,this.#n-=i.sum,r+=1}this.#e.splice(0,r);let o=this.#e[0];if(!o||!n)return;let s=o.heights.splice(0,n).reduce((i,a)=>i+a,0);o.sum-=s,this.#n-=s}set(e,n){let r=this.#r(e);if(!r)return;let o=n-(r.block.heights[r.place]??0);r.block.heights[r.place]=n,r.block.sum+=o,this.#n+=o}get(e){let n=this.#r(e);return n?.block.heights[n.place]??0}offsetOf(e){let n=this.#r(e);if(!n)return e<0?0:this.#n;let r=n.before;for(let o=0;o<n.place;o++)r+=n.block.heights[o]??0;return r}rowAt(e){let n=0,r=e;for(let{heights:o,sum:s}of this.#e){if(r>=s){r-=s,n+=o.length;continue}for(let i of o){if(r<i)return n;r-=i,n+=1}}return Math.max(this.#t-1,0)}#r(e){if(e<0||e>=this.#t)return;let n=e,r=0;for(let o of this.#e){if(n<o.heights.length)return{block:o,place:n,before:r};n-=o.heights.length,r+=o.sum}}};var io=class{#e=0;#t=0;#n=0;#r=0;get height(){return Math.min(this.#e,8e6)}get top(){return this.#n}get position(){return this.#r}get shift(){return this.#r-this.#n}get bottom(){return Math.max(this.#e-this.#t,0)}resize(e,n){this.#e=e,this.#t=n,this.moveTo(this.#n)}moveTo(e){return this.#n=Math.min(Math.max(e,0),this.bottom),this.#r=this.#o(this.#n),this.#r}scrolled(e){let n=e-this.#r;if(this.#e<=8e6)return this.#n=this.#r=e,e;if(Math.abs(n)>this.#t){let s=Math.max(this.height-this.#t,1);return this.moveTo(e/s*this.bottom)}this.#n=Math.min(Math.max(this.#n+n,0),this.bottom),this.#r=e;let r=this.#o(this.#n);return(this.#n===0||this.#n===this.bottom||Math.abs(r-e)>4*this.#t)&&(this.#r=r),this.#r}#o(e){return this.#e<=8e6?e:Math.round(e/Math.max(this.bottom,1)*(this.height-this.#t))}};var Ad=/^[\x20-\x7e]*$/,Uf=/[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;function Nd(t,e){let n=Math.max(e,1);if(t.length<=n&&Ad.test(t))return 1;let r=0;for(let o of t.split(`
`))r+=kd(o,n);return r}function Rd(t,e,n=20){if(t.length<=e)return t.length;let r=n,o=0;for(let s of t.split(`
`)){let i=kd(s,e);if(i>r)return o+Math.min(r*e,s.length);if(r-=i,o+=s.length+1,r===0)break}return Math.min(o,t.length)}function kd(t,e){let n=1,r=0;for(let o of t.split(/(?<= )/)){let s=Id(o);r+s<=e?r+=s:r+Id(o.trimEnd())<=e?r=e:s<=e?(n+=1,r=s):(r>0&&(n+=1),n+=Math.ceil(s/e)-1,r=s%e||e)}return n}function Id(t){if(Ad.test(t))return t.length;let e=0;for(let n of t)n==="	"?e+=4-e%4:e+=Uf.test(n)?2:1;return e}var Td=12,ao=class{constructor(e){this.lineHeight=e}#e=new so;#t=new io;#n=new WeakSet;#r=new He;#o=80;#s=400;get columns(){return this.#o}get height(){return this.#t.height}get above(){return this.#t.top}get below(){return this.#t.bottom-this.#t.top}update(e){let{reset:n,dropped:r,prepended:o,appended:s}=this.#r.read(e);n&&this.#e.clear();let i=0;r>0&&(i-=this.#e.offsetOf(r),this.#e.drop(r)),o.length>0&&(this.#e.prepend(o.map(l=>this.#i(l))),i+=this.#e.offsetOf(o.length)),this.#e.append(s.map(l=>this.#i(l)));let a=this.#t.top;this.#a(),i!==0&&this.#t.moveTo(a+i*this.lineHeight)}setView(e,n){let r=e!==this.#o;return this.#o=e,this.#s=n,r&&(this.#r=new He),this.#a(),r}window(){let e=Math.floor(this.#t.top/this.lineHeight),n=Math.max(this.#e.rowAt(e)-Td,0),r=this.#e.rowAt(e+Math.ceil(this.#s/this.lineHeight))+Td,o=this.#e.offsetOf(n)*this.lineHeight+this.#t.shift;return{first:n,end:Math.min(r+1,this.#e.count),offset:o}}correct(e,n){let r=Math.max(Math.round(n/this.lineHeight),1);return r===this.#e.get(e)?!1:(this.#e.set(e,r),this.#a(),!0)}isWhole(e){return this.#n.has(e)}showWhole(e){this.#n.add(e)}moveToEnd(){return this.#t.moveTo(this.#t.bottom)}moveToRow(e){return this.#t.moveTo(this.#e.offsetOf(e)*this.lineHeight-this.#s/2)}scrolled(e){return this.#t.scrolled(e)}get position(){return this.#t.position}#i(e){let n=e.severity===2?"":`${bt(e.severity)} `,r=Nd(n+e.text,this.#o);return this.isWhole(e)?r:Math.min(r,21)}#a(){this.#t.resize(this.#e.total*this.lineHeight,this.#s)}};var Df={},Cd=xt(class extends Ge{constructor(){super(...arguments),this.ot=Df}render(t,e){return e()}update(t,[e,n]){if(Array.isArray(e)){if(Array.isArray(this.ot)&&this.ot.length===e.length&&e.every((r,o)=>r===this.ot[o]))return j}else if(this.ot===e)return j;return this.ot=Array.isArray(e)?Array.from(e):e,this.render(e,n)}});var Ld=[1,2,3,4],Ff=6;function _d(t){let{stages:e,stageId:n,severity:r,text:o,follow:s,isEnded:i,count:a}=t,l=e.map(c=>`${c.stageId}
${c.title}`).join(`
`);return f`<div class="controls">
    <select
      aria-label="stage of the lines"
      @change=${c=>{t.onStage(c.target.value)}}
    >
      ${Cd([l,n],()=>Bf(e,n))}
    </select>
    <select
      aria-label="least severity of the lines"
      @change=${c=>{t.onSeverity(Ld[c.target.selectedIndex]??1)}}
    >
      ${Ld.map(c=>f`<option value=${c} ?selected=${c===r}>
            ${bt(c)}${c===4?"":" +"}
          </option>`)}
    </select>
    <input
      type="search"
      placeholder="filter…  /"
      aria-label="filter the lines by text"
      .value=${o}
      @input=${c=>{t.onText(c.target.value)}}
    />
    <span class="muted count" role="status">${a}</span>
    ${i?f`<button title="go to the last line (f)" ?disabled=${s} @click=${t.onFollow}>
            to the end
          </button>`:f`<button
            aria-pressed=${s}
            title="keep the newest line in sight (f)"
            @click=${t.onFollow}
          >
            ${s?"following":"follow"}
          </button>`}
  </div>`}function Bf(t,e){let n=new Map;for(let{stageId:r,parentStageId:o}of t)n.set(r,Math.min((n.get(o)??-1)+1,Ff));return f`<option value="" ?selected=${e===""}>all stages</option>
    ${t.map(r=>f`<option value=${r.stageId} ?selected=${r.stageId===e}>
          ${"\u2003".repeat(n.get(r.stageId)??0)}${y(r.title||r.stageId,60)}
        </option>`)}`}var $d=["black","red","green","yellow","blue","magenta","cyan","white"],Vf=/\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])/g;function Md(t){if(!t.includes("\x1B"))return[{text:de(t),styles:""}];let e=[],n={colour:"",bold:!1,dim:!1,italic:!1,underline:!1},r=0,o=s=>{if(s<=r)return;let{colour:i,...a}=n,l=[i,...Object.entries(a).flatMap(([c,d])=>d?[c]:[])];e.push({text:de(t.slice(r,s)),styles:l.filter(Boolean).join(" ")})};for(let s of t.matchAll(Vf))o(s.index),r=s.index+s[0].length,s[2]==="m"&&Wf(n,s[1]??"");return o(t.length),e}function Wf(t,e){let n=e.split(";").map(Number);for(let r=0;r<n.length;r++){let o=n[r]??0;o===0?Object.assign(t,{colour:"",bold:!1,dim:!1,italic:!1,underline:!1}):o===1?t.bold=!0:o===2?t.dim=!0:o===3?t.italic=!0:o===4?t.underline=!0:o===22?t.bold=t.dim=!1:o===23?t.italic=!1:o===24?t.underline=!1:o>=30&&o<=37?t.colour=$d[o-30]??"":o>=90&&o<=97?t.colour=$d[o-90]??"":o===39?t.colour="":(o===38||o===48)&&(r+=n[r+1]===5?2:4)}}function Jd(t,e){return f`<div
    class="line boundary"
    role="heading"
    aria-level="2"
    title="${W(t.time)} · event ${t.sequence}"
  >
    ${e}
  </div>`}function Gd(t,e,n,r,o,s){let i=bt(t.severity),a=n===1/0?t.text.length:Rd(t.text,n),l=Md(t.text.slice(0,a));return f`<div class="line ${i} ${r?"marked":""}">
    <time title="${W(t.time)} · event ${t.sequence} · click to mark the line"
      ><button
        class="at"
        @click=${()=>{s(t)}}
      >
        ${Q(t.time)}
      </button></time
    >
    <span class="stage foreign cut" title=${t.stageId}>${y(e,64)}</span>
    <span class="text foreign" dir="auto"
      >${i==="info"?h:f`<b class="severity">${i}</b> `}${l.map(({text:c,styles:d})=>d?f`<span class=${d}>${c}</span>`:c)}${a<t.text.length?f`<button
              class="plain more"
              @click=${()=>{o(t)}}
            >
              … show all ${$(t.text.length)} characters
            </button>`:h}</span
    >
  </div>`}var Ud=L`
  :host {
    display: flex;
    flex-direction: column;
    min-height: 0;
  }
  .controls {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    align-items: center;
    padding: 8px 0;
  }
  .controls select {
    max-width: 220px;
  }
  .controls input {
    flex: 1 1 140px;
    min-width: 0;
    max-width: 360px;
  }
  .controls .count {
    margin-inline-start: auto;
    white-space: nowrap;
  }
  .controls [aria-pressed="true"] {
    background: color-mix(in srgb, var(--_accent) 14%, var(--_surface));
    border-color: var(--_accent);
  }
  .view {
    position: relative;
    min-height: 80px;
    max-height: var(--milepost-log-height, 420px);
    overflow: hidden auto;
    overflow-anchor: none;
    background: var(--_raised);
    border: 1px solid var(--_line);
    border-radius: var(--_radius);
    font: 12.5px/19px var(--_mono);
    overscroll-behavior: contain;
  }
  .view.empty {
    display: none;
  }
  .area {
    position: relative;
    overflow: hidden;
  }
  .rows {
    position: absolute;
    inset-inline: 0;
    top: 0;
    will-change: transform;
  }
  .line {
    display: grid;
    grid-template-columns: 66px minmax(0, min(var(--stage-width, 16ch), 16ch)) 1fr;
    column-gap: 12px;
    padding: 0 10px;
  }
  .line.boundary {
    display: block;
    margin: 0;
    color: var(--_muted);
    font-weight: 600;
    background: color-mix(in srgb, var(--_accent) 10%, transparent);
    box-shadow: inset 3px 0 0 var(--_accent);
  }
  .line:hover {
    background: color-mix(in srgb, var(--_muted) 12%, transparent);
  }
  .line time,
  .line .stage {
    color: var(--_muted);
    user-select: none;
  }
  .line.marked {
    background: color-mix(in srgb, var(--_accent) 18%, transparent);
  }
  .at {
    all: unset;
    cursor: pointer;
  }
  .at:hover {
    text-decoration: underline;
  }
  .at:focus-visible {
    outline: 2px solid var(--_accent);
  }
  .text {
    white-space: pre-wrap;
    overflow-wrap: anywhere;
    tab-size: 4;
    min-width: 0;
  }
  .severity {
    font-weight: 600;
  }
  .line.warning .severity {
    color: var(--_warn);
  }
  .line.error .severity,
  .line.error .text {
    color: var(--_bad);
  }
  .line.debug .text {
    color: var(--_muted);
  }
  .line.warning {
    box-shadow: inset 3px 0 0 var(--_warn);
  }
  .line.error {
    box-shadow: inset 3px 0 0 var(--_bad);
  }
  .more {
    min-height: 19px;
    line-height: 19px;
    padding: 0;
    color: var(--_accent);
    display: block;
    white-space: normal;
    text-align: start;
  }
  .probe {
    position: absolute;
    visibility: hidden;
    white-space: pre;
  }
  .bold {
    font-weight: 700;
  }
  .dim {
    opacity: 0.75;
  }
  .italic {
    font-style: italic;
  }
  .underline {
    text-decoration: underline;
  }
  .red {
    color: var(--_bad);
  }
  .green {
    color: var(--_good);
  }
  .yellow {
    color: var(--_warn);
  }
  .blue {
    color: var(--_accent);
  }
  .magenta {
    color: light-dark(#9333a8, #e08cf2);
  }
  .cyan {
    color: light-dark(#0b6e80, #5cc9d8);
  }
  .notice {
    margin: 8px 0;
  }
  :host([tail]) .view {
    max-height: var(--milepost-log-height, 160px);
  }
  @container (min-width: 1000px) {
    .line {
      grid-template-columns: 66px minmax(0, min(var(--stage-width, 24ch), 24ch)) 1fr;
    }
  }
  .without-stages .line {
    grid-template-columns: 66px 1fr;
  }
  .without-stages .line .stage {
    display: none;
  }
  @container (max-width: 639px) {
    .line,
    .without-stages .line {
      grid-template-columns: max-content 1fr;
      column-gap: 8px;
      padding: 0 6px;
    }
    .line time {
      font-size: 11px;
    }
    .line .stage,
    .controls .count {
      display: none;
    }
    .controls select {
      flex: 1 1 40%;
      min-width: 0;
      max-width: none;
    }
    .controls input {
      flex-basis: 50%;
      max-width: none;
    }
  }
`;var Pf=19,Od=100,Yf=2,Zf=4,lo=class extends fe{static properties={follow:{type:Boolean,reflect:!0},tail:{type:Boolean,reflect:!0},stageId:{attribute:!1},line:{attribute:!1},severity:{state:!0},text:{state:!0},searching:{state:!0}};static styles=[V,Ud];#e;#t=!1;#n=new ao(Pf);#r=new ResizeObserver(()=>{this.#d()});constructor(){super(),this.follow=!0,this.tail=this.searching=!1,this.stageId=this.text="",this.line=0,this.severity=1}search(){this.renderRoot.querySelector("input")?.focus()}toggleFollow=()=>{this.follow=!this.follow};connectedCallback(){super.connectedCallback(),this.updateComplete.then(()=>{this.#h&&this.#r.observe(this.#h)})}disconnectedCallback(){super.disconnectedCallback(),this.#r.disconnect()}forget(){this.stageId=this.text="",this.follow=!0,this.searching=!1,this.line=0}willUpdate(e){super.willUpdate(e),e.has("line")&&(this.#t=this.line>0,this.#t&&(this.follow=!1));let n=this.store?.log.lines;if(!n)return;let r=this.#E(n);["store","stageId","severity","text"].some(o=>e.has(o))?r.setFilter({stageIds:this.#w(),severity:this.severity,text:this.text}):r.update(),this.#n.update(r.shown),r.isBusy&&requestAnimationFrame(()=>{this.requestUpdate()})}render(){let{log:e,job:n}=this.store??{};return f`${this.tail||!e?h:_d({stages:n?.stages??[],stageId:this.stageId,severity:this.severity,text:this.text,follow:this.follow,isEnded:this.store?.isEnded??!1,count:this.#i(),onStage:r=>this.stageId=r,onSeverity:r=>this.severity=r,onText:r=>this.text=r,onFollow:this.toggleFollow})}
      <div
        class="view ${this.#s()}"
        part="log"
        role="log"
        aria-live="off"
        aria-label="log"
        tabindex="0"
        @scroll=${this.#p}
        @wheel=${this.#m}
        @keydown=${this.#f}
      >
        <span class="probe" aria-hidden="true">${"0".repeat(Od)}</span>
        <div class="area" ${F({height:`${this.#n.height}px`})}>${this.#o()}</div>
      </div>
      ${this.#a()}`}#o(){let e=this.#e?.shown.lines??[];if(e.length===0)return h;let{first:n,end:r,offset:o}=this.#n.window(),{job:s,attempts:i=[]}=this.store??{},a=new Map(s?.stages.map(d=>[d.stageId,d.title||d.stageId])),{columns:l}=this.#n,c=Math.max(4,...[...a.values()].map(d=>d.length));return f`<div
      class="rows"
      ${F({transform:`translateY(${o}px)`,"--stage-width":`${Math.min(c,24)}ch`})}
    >
      ${Nt(e.slice(n,r),d=>d.sequence,d=>d.startsAttempt?Jd(d,gc(d.startsAttempt,d.time,s,i)):Gd(d,a.get(d.stageId)??d.stageId,this.#n.isWhole(d)?1/0:l,d.sequence===this.line,this.#b,this.#v))}
    </div>`}#s(){let e=this.#e&&ue(this.#e.shown)===0?"empty":"";return this.store?.log.lines.hasStages?e:`${e} without-stages`}#i(){let e=this.store?.log,n=e?ue(e.lines):0;if(!e?.isLoaded||!this.#e||n===0)return"";let r=ue(this.#e.shown),o=`${$(n)}${e.hasOlder?"+":""} ${n===1?"line":"lines"}`;return this.#e.isBusy?`filtering ${o}\u2026`:r===n?o:`${$(r)} of ${o}`}#a(){let{log:e,isCaughtUp:n,isEnded:r}=this.store??{},o=e?ue(e.lines):0;return e?.error?f`<p class="notice failed" role="alert">
        The log could not be loaded: ${e.error} <button @click=${this.#g}>try again</button>
      </p>`:o>0?this.#l(o,e?.hasOlder??!1):!e?.isLoaded||e.isLoading||!n?f`<p class="notice muted">loading…</p>`:e.hasOlder?f`<p class="notice muted">
        no lines among the newest events <button @click=${this.#g}>look further back</button>
      </p>`:f`<p class="notice muted">no log lines${r?"":" yet"}</p>`}#l(e,n){let r=this.#e;return!r||r.shown===r.source||r.isBusy?h:n?f`<p class="notice muted">
      searched the newest ${$(e)} lines
      <button
        @click=${()=>{this.searching=!this.searching}}
      >
        ${this.searching?"stop":"search older ones"}
      </button>
    </p>`:ue(r)>0?h:f`<p class="notice muted">
        none of ${$(e)} lines matches <button @click=${this.#y}>show all</button>
      </p>`}updated(){let e=this.#h;if(!e)return;this.#t&&this.#c();let n=this.follow?this.#n.moveToEnd():this.#n.position;Math.abs(e.scrollTop-n)>1&&(e.scrollTop=n),this.#u();let r=this.store?.log,o=!this.follow&&this.#n.above<Yf*e.clientHeight;r?.hasOlder===!1&&(this.searching=!1),(o||this.searching||this.#t)&&r?.isLoaded&&!r.isLoading&&!r.error&&r.hasOlder&&this.#g()}#u(){let{first:e,end:n}=this.#n.window(),r=this.renderRoot.querySelectorAll(".line");if(r.length!==n-e)return;[...r].filter((s,i)=>this.#n.correct(e+i,s.offsetHeight)).length>0&&this.requestUpdate()}#d(){let e=this.#h,n=this.renderRoot.querySelector(".probe")?.getBoundingClientRect().width??0;if(!e||n===0)return;let r=this.renderRoot.querySelector(".text")?.clientWidth??e.clientWidth-220;this.#n.setView(Math.max(Math.floor(r*Od/n),10),e.clientHeight),this.requestUpdate()}#p=()=>{let e=this.#h;if(!e||Math.abs(e.scrollTop-this.#n.position)<=1)return;let n=this.#n.scrolled(e.scrollTop);Math.abs(n-e.scrollTop)>1&&(e.scrollTop=n),this.follow=this.#n.below<=Zf,this.requestUpdate()};#m=e=>{e.deltaY<0&&this.#n.above>0&&(this.follow=!1)};#f=e=>{["ArrowUp","PageUp","Home"].includes(e.key)&&this.#n.above>0&&(this.follow=!1)};#b=e=>{this.#n.showWhole(e),this.follow=!1,this.requestUpdate()};#c(){let{log:e}=this.store??{},n=this.#e?.shown.lines??[],r=n[0]?.sequence??1/0;if(!e?.isLoaded||r>this.line&&e.hasOlder&&!e.error)return;this.#t=!1;let o=n.findIndex(({sequence:s})=>s>=this.line);this.#n.moveToRow(o<0?n.length:o),this.requestUpdate()}#v=({sequence:e})=>{this.line=e===this.line?0:e;let n={line:this.line};this.dispatchEvent(new CustomEvent("milepost-line",{detail:n,bubbles:!0,composed:!0}))};#y=()=>{this.stageId=this.text="",this.severity=1};#g=()=>{this.store?.loadOlderLines()};#E(e){return this.#e?.source!==e&&(this.#e=new oo(e)),this.#e}#w(){if(!this.stageId)return;let e=new Set([this.stageId]);for(let n of this.store?.job?.stages??[])e.has(n.parentStageId)&&e.add(n.stageId);return e}get#h(){return this.renderRoot.querySelector(".view")}};var Kf=.06,Xf=[.001,.002,.005,.01,.02,.05,.1,.2,.5,1,2,5,10,15,30,60,120,300,600,900,1800,3600,7200,14400,43200,86400],Dd=8;function Bd(t,e){let n=v(t.submitTime)??e,r=v(t.firstStartTime)??n,o=v(t.endTime),s=o??Math.max(e,ni(t,e)??e),i=r-n>s-r&&s>r?{from:n,width:Kf}:void 0,a=i?r:n,l=i?.width??0,c=Math.max((s-a)/1e3,.001),d=Xf.find(g=>c/g<=Dd)??Math.ceil(c/Dd/86400)*86400,m=o===void 0?(Math.floor(c/d)+1)*d:c,b=g=>l+(1-l)*Math.min(g/m,1),p=[];for(let g=0;g*d<m-d/2;g++)p.push({at:b(g*d),label:Hf(g*d,d)});return{start:a,end:a+m*1e3,ticks:p,now:o===void 0?b((e-a)/1e3):void 0,folded:i}}function Vd(t,e,n,r){let o=[],s=Pd(o,n);for(let c of e){s("waiting",c.queued,c.start,c.number,!1);let d=c.outcome==="failed"||c.outcome==="lost"||c.outcome==="cancelled",m=c.end??(c.outcome?c.start:r);s(c.number<t.attempt?"earlier":"running",c.start,m,c.number,d)}let i=e.at(-1),a=i?i.outcome?i.end:void 0:v(t.submitTime)??r;a!==void 0&&!A(t)&&s("waiting",a,r,t.attempt+1,!1);let l=ni(t,r);return l!==void 0&&s("expected",r,l,t.attempt,!1),o}function Wd(t,e,n,r,o,s){let i=[],a=Pd(i,o);for(let b of r){let p=b.number<n.attempt?b.stages.get(t.stageId):void 0;p&&a("earlier",p.start,p.end??p.start,b.number,Fd(p.state))}let l=v(t.startTime);if(l===void 0)return i;let c=v(e?.startTime);c!==void 0&&a("waiting",c,l,n.attempt,!1);let d=v(t.endTime);a("running",l,d??s,n.attempt,Fd(t.state));let m=d===void 0?jf(t,n,l,s):void 0;return m!==void 0&&a("expected",s,m,n.attempt,!1),i}function ni(t,e){let n=an(t,e)?.medianMs;return n===void 0?void 0:e+n}function jf(t,e,n,r){let o=ni(e,r);if(!(o===void 0||!t.fractionKnown||t.fraction<.05))return Math.min(o,r+(r-n)*(1-t.fraction)/t.fraction)}function Fd(t){return t===4||t===6}function Pd(t,e){let{start:n,end:r,folded:o}=e,s=o?.width??0,i=a=>o&&a<n?s*Math.max(a-o.from,0)/Math.max(n-o.from,1):s+(1-s)*Math.min(Math.max((a-n)/(r-n),0),1);return(a,l,c,d,m)=>{(c>l||a==="running")&&t.push({part:a,from:i(l),to:Math.max(i(l),i(c)),attempt:d,broken:m})}}function Hf(t,e){return e<.1?`${Math.round(t*1e3)} ms`:e<1?`${t.toFixed(1)} s`:t===0?"0:00":T(t).replace(/^0(\d:)/,"$1")}var Yd=L`
  .row,
  .scale {
    display: grid;
    grid-template-columns: minmax(180px, 30%) 84px 64px 56px 52px 1fr;
    column-gap: 12px;
    align-items: center;
    min-height: 28px;
    padding: 0 8px;
  }
  .row {
    border-radius: var(--_radius);
    content-visibility: auto;
    contain-intrinsic-size: auto 28px;
  }
  .row:hover,
  .row[aria-selected="true"] {
    background: var(--_raised);
  }
  .row:focus {
    outline: 2px solid var(--_accent);
    outline-offset: -2px;
  }
  .scale {
    color: var(--_muted);
    font-size: 12px;
    min-height: 20px;
  }
  .name {
    display: flex;
    align-items: center;
    gap: 6px;
    min-width: 0;
    padding-inline-start: calc(var(--depth) * 18px);
  }
  .name .cut {
    flex: 0 1 auto;
    min-width: 0;
  }
  .name .amount {
    flex: none;
    margin-inline-start: auto;
    white-space: nowrap;
  }
  .name .message {
    flex: 0 9999 auto;
  }
  .name .amount,
  .name .message {
    color: var(--_muted);
    font-size: 12px;
  }
  .fold {
    color: var(--_muted);
    margin-inline: -4px -2px;
  }
  .number {
    text-align: end;
    white-space: nowrap;
  }
  .word,
  .usual {
    font-size: 12px;
  }
  .slow {
    color: var(--_warn);
    font-weight: 500;
  }
  .bar {
    width: var(--weight, 100%);
    min-width: 10px;
  }
  .track {
    position: relative;
    height: 100%;
    min-height: 16px;
  }
  .track::before {
    content: "";
    position: absolute;
    inset: 0 0 0 calc(var(--origin) * 100%);
    background: repeating-linear-gradient(
      to right,
      var(--_line) 0 1px,
      transparent 1px calc(var(--tick) * 100%)
    );
  }
  /* The wait before the scale's 0:00 is cut short here. */
  .fold-mark {
    position: absolute;
    inset-block: 0;
    inset-inline: 0 calc(100% - var(--origin) * 100%);
    display: grid;
    place-items: center;
    color: var(--_muted);
    font: italic 600 12px/1 var(--_mono);
    letter-spacing: -3px;
    text-shadow:
      2px 0 var(--_surface),
      -2px 0 var(--_surface);
  }
  .track .now {
    position: absolute;
    inset-block: 0;
    inset-inline-start: calc(var(--now) * 100%);
    width: 1px;
    background: var(--_accent);
    opacity: 0.4;
  }
  .segment {
    position: absolute;
    top: calc(50% - 5px);
    height: 10px;
    inset-inline-start: min(calc(var(--from) * 100%), 100% - 2px);
    width: max(calc((var(--to) - var(--from)) * 100%), 2px);
    border-radius: 2px;
    background: currentColor;
  }
  .segment.part-waiting {
    opacity: 0.4;
    color: var(--_muted);
    height: 3px;
    top: calc(50% - 1.5px);
  }
  .segment.part-earlier {
    color: var(--_muted);
    opacity: 0.55;
  }
  .segment.part-earlier.broken {
    background: repeating-linear-gradient(-45deg, var(--_bad) 0 3px, transparent 3px 6px);
    opacity: 0.9;
  }
  .segment.part-expected {
    background: repeating-linear-gradient(90deg, currentColor 0 4px, transparent 4px 8px);
    height: 2px;
    top: calc(50% - 1px);
    color: var(--_accent);
    border-radius: 0;
  }
  .ticks {
    position: relative;
    height: 20px;
    overflow: hidden;
  }
  .ticks span {
    position: absolute;
    inset-inline-start: calc(var(--at) * 100%);
    padding-inline-start: 4px;
    white-space: nowrap;
  }
  .segment.part-running.broken {
    background: repeating-linear-gradient(
      -45deg,
      currentColor 0 5px,
      color-mix(in srgb, currentColor 45%, transparent) 5px 8px
    );
  }
  .rest {
    color: var(--_muted);
  }
  .rest .name {
    grid-column: 1 / -2;
  }
  @container (max-width: 899px) {
    .row,
    .scale {
      grid-template-columns: minmax(180px, 30%) 84px 64px 56px 1fr;
    }
    .usual {
      display: none;
    }
  }
  :host([narrow]) .row,
  :host([narrow]) .scale {
    grid-template-columns: 1fr 44px 52px;
  }
  :host([narrow]) .row {
    padding-block: 2px 4px;
  }
  :host([narrow]) .weight-cell,
  :host([narrow]) .usual {
    display: none;
  }
  :host([narrow]) .scale > :not(.ticks) {
    display: none;
  }
  :host([narrow]) .track,
  :host([narrow]) .ticks {
    grid-column: 1 / -1;
    min-height: 12px;
  }
  @media (forced-colors: active) {
    .track {
      forced-color-adjust: none;
      color: CanvasText;
    }
    .track .segment {
      color: CanvasText;
      opacity: 1;
    }
    .track::before {
      opacity: 0.4;
    }
  }
`;function co(t,e,n="running",r=!1){let[o=0,s=1]=e.ticks.map(({at:i})=>i);return f`<div
    class="track ${n}"
    part="track"
    aria-hidden="true"
    ${F({"--origin":`${o}`,"--tick":`${(s-o)/(1-o)}`,"--now":`${e.now??0}`})}
  >
    ${e.now===void 0?h:f`<div class="now"></div>`}
    ${t.map(({part:i,from:a,to:l,broken:c,attempt:d})=>f`<div
          class="segment part-${i} ${c?"broken":""}"
          title=${i==="earlier"?`attempt ${d}`:i}
          ${F({"--from":a.toFixed(5),"--to":l.toFixed(5)})}
        ></div>`)}
    ${r&&e.folded!==void 0?f`<div class="fold-mark">//</div>`:h}
  </div>`}var uo=class extends fe{static properties={narrow:{type:Boolean,reflect:!0},selected:{state:!0}};static styles=[V,Yd];#e=new Map;#t=new Map;#n=[];constructor(){super(),this.narrow=!1,this.selected=""}forget(){this.#e=new Map,this.#t=new Map,this.selected=""}move(e){let n=this.#n.findIndex(o=>o.key===this.selected),r=this.#n[Math.min(Math.max(n+e,0),this.#n.length-1)];r&&this.#a(r.key)}toggle(e=this.selected){let n=this.#n.find(r=>r.key===e);n?.open!==void 0&&(this.#e=new Map(this.#e).set(n.key,!n.open),this.requestUpdate())}render(){let{store:e}=this,n=e?.job;if(!e||!n?.stages.length)return h;let{now:r,attempts:o}=e,s=Bd(n,r);this.#n=Kc(n.stages,this.#e);let i=new Map(n.stages.map(d=>[d.stageId,d])),a=qc(e.usual),l={job:n,attempts:o,stages:i,heaviest:qf(n.stages),usual:a,scale:s,now:r},c=this.#n.some(d=>d.key===this.selected)?this.selected:this.#n[0]?.key;return f`
      <div class="scale" aria-hidden="true">
        <span>stages</span><span class="weight-cell"></span><span></span><span class="number">time</span>
        <span class="number usual">${a.size>0?"usual":""}</span>
        <div class="ticks">
          ${s.ticks.map(({at:d,label:m})=>f`<span ${F({"--at":`${d}`})}>${m}</span>`)}
        </div>
      </div>
      ${this.#r(l)}
      <div role="tree" aria-label="stages" @keydown=${this.#l}>
        ${Nt(this.#n,d=>d.key,d=>d.type==="rest"?this.#i(d,s,d.key===c):this.#o(d,l,d.key===c))}
      </div>
    `}#r({job:e,attempts:n,scale:r,now:o}){return f`<div class="row" aria-hidden="true">
      <span class="name muted" ${F({"--depth":"0"})}>whole job</span><span class="weight-cell"></span
      ><span></span><span></span><span class="usual"></span>
      ${co(Vd(e,n,r,o),r,C(e.state).shape,!0)}
    </div>`}#o(e,n,r){let{stage:o}=e,{job:s,attempts:i,stages:a,heaviest:l,usual:c,scale:d,now:m}=n,{word:b,shape:p}=nn(o.state),g=y(o.title||o.stageId),E=e.inner?`${e.innerDone} of ${e.inner}`:Dl(o.current,o.total,o.unit),x=o.state===2?o.fractionKnown?pt(o.fraction):"":b,M=y(o.failure?.message??o.message),et=Wd(o,a.get(o.parentStageId),s,i,d,m),S=zf(o,m),re=c.get(o.stageId),Rt=re!==void 0&&ed(o,re,m),kt=re===void 0?"":`usually ${X(re)}`;return f`<div
      class="row"
      part="stage"
      role="treeitem"
      tabindex=${r?0:-1}
      data-key=${e.key}
      aria-level=${e.depth+1}
      aria-expanded=${e.open??h}
      aria-selected=${e.key===this.selected}
      aria-label=${[g,b,x===b?"":x,E,S,Rt?kt:"",M].filter(Boolean).join(", ")}
      title=${[Qf(o,b),kt].filter(Boolean).join(`
`)}
      @click=${()=>{this.#a(e.key),e.inner&&this.toggle(e.key)}}
    >
      <span class="name" ${F({"--depth":`${Math.min(e.depth,12)}`})}>
        ${e.open===void 0?h:Js(e.open)}<span class=${p}
          >${D(p)}</span
        >
        <span class="cut foreign ${p==="waiting"||p==="skipped"?"muted":""}">${g}</span>
        <span class="amount foreign">${E}${E&&M?" \xB7 ":""}</span
        >${M?f`<span class="message cut foreign ${o.failure?"failed":""}">${M}</span>`:h}
      </span>
      <span class="weight-cell ${p}"
        >${this.#s(o,l.get(o.parentStageId)??1,s.attempt,m)}</span
      >
      <span class="number ${p==="running"?"":p==="failed"?"failed":"muted word"}"
        >${x}</span
      >
      <span class="number ${Rt?"slow":"muted"}">${S}</span>
      <span class="number usual muted">${re===void 0?"":X(re)}</span>
      ${co(et,d,p)}
    </div>`}#s(e,n,r,o){let s=(e.weight??1)/(n||1),i=!e.fractionKnown&&e.state===2,a=this.#t.get(e.stageId);a||this.#t.set(e.stageId,a=new ne);let{fraction:l,seconds:c}=a.update(e.fraction,r,o);return f`<div
      class="bar ${i?"unknown moving":""}"
      ${F({"--weight":`${Math.max(s*100,16).toFixed(1)}%`,"--fraction":`${l}`,"--seconds":`${c}s`})}
    >
      <div class="fill"></div>
    </div>`}#i(e,n,r){let o=Xc(e.hidden).map(([i,a])=>`${a} ${nn(i).word}`),s=e.open?"show fewer":`${e.hidden.length} more: ${o.join(", ")}`;return f`<div
      class="row rest"
      role="treeitem"
      tabindex=${r?0:-1}
      data-key=${e.key}
      aria-level=${e.depth+1}
      aria-expanded=${e.open}
      aria-selected=${e.key===this.selected}
      @click=${()=>{this.#a(e.key),this.toggle(e.key)}}
    >
      <span class="name" ${F({"--depth":`${Math.min(e.depth,12)}`})}
        >${Js(e.open)}<span class="cut">${s}</span></span
      >
      ${co([],n)}
    </div>`}#a(e){this.selected=e,this.updateComplete.then(()=>{this.renderRoot.querySelector('[aria-selected="true"]')?.focus()});let n=this.#n.find(o=>o.key===e),r=n?.type==="stage"?n.stage.stageId:"";this.dispatchEvent(new CustomEvent("milepost-select",{detail:{stageId:r},bubbles:!0,composed:!0}))}#l=e=>{let n=this.#n.find(s=>s.key===this.selected),o={ArrowDown:1,ArrowUp:-1,Home:-1/0,End:1/0}[e.key];if(o!==void 0)this.move(o);else if(e.key==="ArrowRight"&&n?.open===!1)this.toggle();else if(e.key==="ArrowLeft"&&n?.open)this.toggle();else if(e.key===" ")this.toggle();else return;e.preventDefault()};updated(){let e=new Set(this.store?.job?.stages.map(n=>n.stageId));for(let n of this.#t.keys())e.has(n)||this.#t.delete(n)}};function zf(t,e){let n=v(t.startTime);if(n===void 0)return"";let r=v(t.endTime);return r===void 0?T((e-n)/1e3):X((r-n)/1e3)}function Qf(t,e){let n=v(t.startTime),r=v(t.endTime);return[`${y(t.title||t.stageId)} (${t.stageId}): ${e}`,t.fractionKnown?`${Ne(t.fraction)} %`:"",t.weight===void 0?"":`weight ${t.weight}`,n===void 0?"":`started ${W(n)}`,r===void 0?"":`ended ${W(r)}`,y(t.message)].filter(Boolean).join(`
`)}function qf(t){let e=new Map;for(let{parentStageId:n,weight:r}of t)e.set(n,Math.max(e.get(n)??0,r??1));return e}var Kd={};Hd(Kd,{KEYS:()=>mn,Keyboard:()=>po,LitElement:()=>Y,absolute:()=>W,chipIcon:()=>jl,chipOf:()=>tn,count:()=>O,css:()=>L,dialogStyles:()=>dr,filterOf:()=>Rc,grouped:()=>$,html:()=>f,instantOf:()=>v,isForeignKey:()=>Zd,isKnown:()=>ie,jobLook:()=>C,needsWorkers:()=>$c,nothing:()=>h,oneLine:()=>y,queryOf:()=>Fr,serverAt:()=>Je,sharedStyles:()=>V,shortId:()=>je,stateIcon:()=>D,ticker:()=>me,wholePercent:()=>Ne});var mn=[["/","search","search the log, or the list"],["j","next","next stage or job"],["k","previous","previous stage or job"],["Enter","toggle","fold or unfold the stage, open the job"],["f","follow","follow the log"],["c","cancel","cancel the job"],["g l","list","go to the list"],["?","help","show or hide these keys"],["Escape","close","close what is open"]];var po=class{#e="";#t=0;press(e,n){let r=n-this.#t<=1500?this.#e:"";this.#e="";let o=r?`${r} ${e}`:e,s=mn.find(([i])=>i===o)??mn.find(([i])=>i===e);if(s)return s[1];mn.some(([i])=>i.startsWith(`${e} `))&&(this.#e=e,this.#t=n)}};function Zd(t){if(t.ctrlKey||t.metaKey||t.altKey||t.defaultPrevented||t.isComposing)return!0;let e=t.composedPath()[0];return!(e instanceof Element)||t.key==="Escape"?!1:e.matches("input, textarea, select, [contenteditable]")?!0:t.key==="Enter"&&e.matches("button, a, summary, [role=tab]")}var eh=[["milepost-copy",ro],["milepost-cancel-sheet",ur],["milepost-log-view",lo],["milepost-stages-view",uo],["milepost-job",Qr],["milepost-jobs",eo],["milepost-progress",to],["milepost-workers",no]];for(let[t,e]of eh)customElements.get(t)||customElements.define(t,e);export{Qr as MilepostJob,eo as MilepostJobs,to as MilepostProgress,no as MilepostWorkers,af as configure,Kd as pageParts};
/*! For license information please see elements.js.LEGAL.txt */
