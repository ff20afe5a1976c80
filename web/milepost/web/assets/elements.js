var Wi=Object.defineProperty;var Ki=(e,t)=>{for(var n in t)Wi(e,n,{get:t[n],enumerable:!0})};var ft=globalThis,ht=ft.ShadowRoot&&(ft.ShadyCSS===void 0||ft.ShadyCSS.nativeShadow)&&"adoptedStyleSheets"in Document.prototype&&"replace"in CSSStyleSheet.prototype,_n=Symbol(),io=new WeakMap,Oe=class{constructor(t,n,r){if(this._$cssResult$=!0,r!==_n)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=t,this.t=n}get styleSheet(){let t=this.o,n=this.t;if(ht&&t===void 0){let r=n!==void 0&&n.length===1;r&&(t=io.get(n)),t===void 0&&((this.o=t=new CSSStyleSheet).replaceSync(this.cssText),r&&io.set(n,t))}return t}toString(){return this.cssText}},lo=e=>new Oe(typeof e=="string"?e:e+"",void 0,_n),G=(e,...t)=>{let n=e.length===1?e[0]:t.reduce((r,o,s)=>r+(a=>{if(a._$cssResult$===!0)return a.cssText;if(typeof a=="number")return a;throw Error("Value passed to 'css' function must be a 'css' function result: "+a+". Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.")})(o)+e[s+1],e[0]);return new Oe(n,e,_n)},co=(e,t)=>{if(ht)e.adoptedStyleSheets=t.map(n=>n instanceof CSSStyleSheet?n:n.styleSheet);else for(let n of t){let r=document.createElement("style"),o=ft.litNonce;o!==void 0&&r.setAttribute("nonce",o),r.textContent=n.cssText,e.appendChild(r)}},$n=ht?e=>e:e=>e instanceof CSSStyleSheet?(t=>{let n="";for(let r of t.cssRules)n+=r.cssText;return lo(n)})(e):e;var{is:Pi,defineProperty:Xi,getOwnPropertyDescriptor:Qi,getOwnPropertyNames:zi,getOwnPropertySymbols:ji,getPrototypeOf:Hi}=Object,gt=globalThis,uo=gt.trustedTypes,qi=uo?uo.emptyScript:"",el=gt.reactiveElementPolyfillSupport,Be=(e,t)=>e,Cn={toAttribute(e,t){switch(t){case Boolean:e=e?qi:null;break;case Object:case Array:e=e==null?e:JSON.stringify(e)}return e},fromAttribute(e,t){let n=e;switch(t){case Boolean:n=e!==null;break;case Number:n=e===null?null:Number(e);break;case Object:case Array:try{n=JSON.parse(e)}catch{n=null}}return n}},mo=(e,t)=>!Pi(e,t),po={attribute:!0,type:String,converter:Cn,reflect:!1,useDefault:!1,hasChanged:mo};Symbol.metadata??=Symbol("metadata"),gt.litPropertyMetadata??=new WeakMap;var H=class extends HTMLElement{static addInitializer(t){this._$Ei(),(this.l??=[]).push(t)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(t,n=po){if(n.state&&(n.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(t)&&((n=Object.create(n)).wrapped=!0),this.elementProperties.set(t,n),!n.noAccessor){let r=Symbol(),o=this.getPropertyDescriptor(t,r,n);o!==void 0&&Xi(this.prototype,t,o)}}static getPropertyDescriptor(t,n,r){let{get:o,set:s}=Qi(this.prototype,t)??{get(){return this[n]},set(a){this[n]=a}};return{get:o,set(a){let i=o?.call(this);s?.call(this,a),this.requestUpdate(t,i,r)},configurable:!0,enumerable:!0}}static getPropertyOptions(t){return this.elementProperties.get(t)??po}static _$Ei(){if(this.hasOwnProperty(Be("elementProperties")))return;let t=Hi(this);t.finalize(),t.l!==void 0&&(this.l=[...t.l]),this.elementProperties=new Map(t.elementProperties)}static finalize(){if(this.hasOwnProperty(Be("finalized")))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(Be("properties"))){let n=this.properties,r=[...zi(n),...ji(n)];for(let o of r)this.createProperty(o,n[o])}let t=this[Symbol.metadata];if(t!==null){let n=litPropertyMetadata.get(t);if(n!==void 0)for(let[r,o]of n)this.elementProperties.set(r,o)}this._$Eh=new Map;for(let[n,r]of this.elementProperties){let o=this._$Eu(n,r);o!==void 0&&this._$Eh.set(o,n)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(t){let n=[];if(Array.isArray(t)){let r=new Set(t.flat(1/0).reverse());for(let o of r)n.unshift($n(o))}else t!==void 0&&n.push($n(t));return n}static _$Eu(t,n){let r=n.attribute;return r===!1?void 0:typeof r=="string"?r:typeof t=="string"?t.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(t=>this.enableUpdating=t),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(t=>t(this))}addController(t){(this._$EO??=new Set).add(t),this.renderRoot!==void 0&&this.isConnected&&t.hostConnected?.()}removeController(t){this._$EO?.delete(t)}_$E_(){let t=new Map,n=this.constructor.elementProperties;for(let r of n.keys())this.hasOwnProperty(r)&&(t.set(r,this[r]),delete this[r]);t.size>0&&(this._$Ep=t)}createRenderRoot(){let t=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return co(t,this.constructor.elementStyles),t}connectedCallback(){this.renderRoot??=this.createRenderRoot(),this.enableUpdating(!0),this._$EO?.forEach(t=>t.hostConnected?.())}enableUpdating(t){}disconnectedCallback(){this._$EO?.forEach(t=>t.hostDisconnected?.())}attributeChangedCallback(t,n,r){this._$AK(t,r)}_$ET(t,n){let r=this.constructor.elementProperties.get(t),o=this.constructor._$Eu(t,r);if(o!==void 0&&r.reflect===!0){let s=(r.converter?.toAttribute!==void 0?r.converter:Cn).toAttribute(n,r.type);this._$Em=t,s==null?this.removeAttribute(o):this.setAttribute(o,s),this._$Em=null}}_$AK(t,n){let r=this.constructor,o=r._$Eh.get(t);if(o!==void 0&&this._$Em!==o){let s=r.getPropertyOptions(o),a=typeof s.converter=="function"?{fromAttribute:s.converter}:s.converter?.fromAttribute!==void 0?s.converter:Cn;this._$Em=o;let i=a.fromAttribute(n,s.type);this[o]=i??this._$Ej?.get(o)??i,this._$Em=null}}requestUpdate(t,n,r,o=!1,s){if(t!==void 0){let a=this.constructor;if(o===!1&&(s=this[t]),r??=a.getPropertyOptions(t),!((r.hasChanged??mo)(s,n)||r.useDefault&&r.reflect&&s===this._$Ej?.get(t)&&!this.hasAttribute(a._$Eu(t,r))))return;this.C(t,n,r)}this.isUpdatePending===!1&&(this._$ES=this._$EP())}C(t,n,{useDefault:r,reflect:o,wrapped:s},a){r&&!(this._$Ej??=new Map).has(t)&&(this._$Ej.set(t,a??n??this[t]),s!==!0||a!==void 0)||(this._$AL.has(t)||(this.hasUpdated||r||(n=void 0),this._$AL.set(t,n)),o===!0&&this._$Em!==t&&(this._$Eq??=new Set).add(t))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(n){Promise.reject(n)}let t=this.scheduleUpdate();return t!=null&&await t,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??=this.createRenderRoot(),this._$Ep){for(let[o,s]of this._$Ep)this[o]=s;this._$Ep=void 0}let r=this.constructor.elementProperties;if(r.size>0)for(let[o,s]of r){let{wrapped:a}=s,i=this[o];a!==!0||this._$AL.has(o)||i===void 0||this.C(o,void 0,s,i)}}let t=!1,n=this._$AL;try{t=this.shouldUpdate(n),t?(this.willUpdate(n),this._$EO?.forEach(r=>r.hostUpdate?.()),this.update(n)):this._$EM()}catch(r){throw t=!1,this._$EM(),r}t&&this._$AE(n)}willUpdate(t){}_$AE(t){this._$EO?.forEach(n=>n.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(t)),this.updated(t)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(t){return!0}update(t){this._$Eq&&=this._$Eq.forEach(n=>this._$ET(n,this[n])),this._$EM()}updated(t){}firstUpdated(t){}};H.elementStyles=[],H.shadowRootOptions={mode:"open"},H[Be("elementProperties")]=new Map,H[Be("finalized")]=new Map,el?.({ReactiveElement:H}),(gt.reactiveElementVersions??=[]).push("2.1.2");var Gn=globalThis,fo=e=>e,bt=Gn.trustedTypes,ho=bt?bt.createPolicy("lit-html",{createHTML:e=>e}):void 0,Un="$lit$",q=`lit$${Math.random().toFixed(9).slice(2)}$`,Vn="?"+q,tl=`<${Vn}>`,he=document,De=()=>he.createComment(""),Fe=e=>e===null||typeof e!="object"&&typeof e!="function",On=Array.isArray,vo=e=>On(e)||typeof e?.[Symbol.iterator]=="function",Ln=`[ 	
\f\r]`,Me=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,go=/-->/g,bo=/>/g,me=RegExp(`>|${Ln}(?:([^\\s"'>=/]+)(${Ln}*=${Ln}*(?:[^ 	
\f\r"'\`<>=]|("|')|))|$)`,"g"),yo=/'/g,Eo=/"/g,xo=/^(?:script|style|textarea|title)$/i,Bn=e=>(t,...n)=>({_$litType$:e,strings:t,values:n}),f=Bn(1),U=Bn(2),Ju=Bn(3),J=Symbol.for("lit-noChange"),b=Symbol.for("lit-nothing"),So=new WeakMap,fe=he.createTreeWalker(he,129);function Io(e,t){if(!On(e)||!e.hasOwnProperty("raw"))throw Error("invalid template strings array");return ho!==void 0?ho.createHTML(t):t}var Ao=(e,t)=>{let n=e.length-1,r=[],o,s=t===2?"<svg>":t===3?"<math>":"",a=Me;for(let i=0;i<n;i++){let l=e[i],c,m,p=-1,g=0;for(;g<l.length&&(a.lastIndex=g,m=a.exec(l),m!==null);)g=a.lastIndex,a===Me?m[1]==="!--"?a=go:m[1]!==void 0?a=bo:m[2]!==void 0?(xo.test(m[2])&&(o=RegExp("</"+m[2],"g")),a=me):m[3]!==void 0&&(a=me):a===me?m[0]===">"?(a=o??Me,p=-1):m[1]===void 0?p=-2:(p=a.lastIndex-m[2].length,c=m[1],a=m[3]===void 0?me:m[3]==='"'?Eo:yo):a===Eo||a===yo?a=me:a===go||a===bo?a=Me:(a=me,o=void 0);let d=a===me&&e[i+1].startsWith("/>")?" ":"";s+=a===Me?l+tl:p>=0?(r.push(c),l.slice(0,p)+Un+l.slice(p)+q+d):l+q+(p===-2?i:d)}return[Io(e,s+(e[n]||"<?>")+(t===2?"</svg>":t===3?"</math>":"")),r]},Je=class e{constructor({strings:t,_$litType$:n},r){let o;this.parts=[];let s=0,a=0,i=t.length-1,l=this.parts,[c,m]=Ao(t,n);if(this.el=e.createElement(c,r),fe.currentNode=this.el.content,n===2||n===3){let p=this.el.content.firstChild;p.replaceWith(...p.childNodes)}for(;(o=fe.nextNode())!==null&&l.length<i;){if(o.nodeType===1){if(o.hasAttributes())for(let p of o.getAttributeNames())if(p.endsWith(Un)){let g=m[a++],d=o.getAttribute(p).split(q),h=/([.?@])?(.*)/.exec(g);l.push({type:1,index:s,name:h[2],strings:d,ctor:h[1]==="."?Et:h[1]==="?"?St:h[1]==="@"?vt:be}),o.removeAttribute(p)}else p.startsWith(q)&&(l.push({type:6,index:s}),o.removeAttribute(p));if(xo.test(o.tagName)){let p=o.textContent.split(q),g=p.length-1;if(g>0){o.textContent=bt?bt.emptyScript:"";for(let d=0;d<g;d++)o.append(p[d],De()),fe.nextNode(),l.push({type:2,index:++s});o.append(p[g],De())}}}else if(o.nodeType===8)if(o.data===Vn)l.push({type:2,index:s});else{let p=-1;for(;(p=o.data.indexOf(q,p+1))!==-1;)l.push({type:7,index:s}),p+=q.length-1}s++}}static createElement(t,n){let r=he.createElement("template");return r.innerHTML=t,r}};function ge(e,t,n=e,r){if(t===J)return t;let o=r!==void 0?n._$Co?.[r]:n._$Cl,s=Fe(t)?void 0:t._$litDirective$;return o?.constructor!==s&&(o?._$AO?.(!1),s===void 0?o=void 0:(o=new s(e),o._$AT(e,n,r)),r!==void 0?(n._$Co??=[])[r]=o:n._$Cl=o),o!==void 0&&(t=ge(e,o._$AS(e,t.values),o,r)),t}var yt=class{constructor(t,n){this._$AV=[],this._$AN=void 0,this._$AD=t,this._$AM=n}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(t){let{el:{content:n},parts:r}=this._$AD,o=(t?.creationScope??he).importNode(n,!0);fe.currentNode=o;let s=fe.nextNode(),a=0,i=0,l=r[0];for(;l!==void 0;){if(a===l.index){let c;l.type===2?c=new xe(s,s.nextSibling,this,t):l.type===1?c=new l.ctor(s,l.name,l.strings,this,t):l.type===6&&(c=new xt(s,this,t)),this._$AV.push(c),l=r[++i]}a!==l?.index&&(s=fe.nextNode(),a++)}return fe.currentNode=he,o}p(t){let n=0;for(let r of this._$AV)r!==void 0&&(r.strings!==void 0?(r._$AI(t,r,n),n+=r.strings.length-2):r._$AI(t[n])),n++}},xe=class e{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(t,n,r,o){this.type=2,this._$AH=b,this._$AN=void 0,this._$AA=t,this._$AB=n,this._$AM=r,this.options=o,this._$Cv=o?.isConnected??!0}get parentNode(){let t=this._$AA.parentNode,n=this._$AM;return n!==void 0&&t?.nodeType===11&&(t=n.parentNode),t}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(t,n=this){t=ge(this,t,n),Fe(t)?t===b||t==null||t===""?(this._$AH!==b&&this._$AR(),this._$AH=b):t!==this._$AH&&t!==J&&this._(t):t._$litType$!==void 0?this.$(t):t.nodeType!==void 0?this.T(t):vo(t)?this.k(t):this._(t)}O(t){return this._$AA.parentNode.insertBefore(t,this._$AB)}T(t){this._$AH!==t&&(this._$AR(),this._$AH=this.O(t))}_(t){this._$AH!==b&&Fe(this._$AH)?this._$AA.nextSibling.data=t:this.T(he.createTextNode(t)),this._$AH=t}$(t){let{values:n,_$litType$:r}=t,o=typeof r=="number"?this._$AC(t):(r.el===void 0&&(r.el=Je.createElement(Io(r.h,r.h[0]),this.options)),r);if(this._$AH?._$AD===o)this._$AH.p(n);else{let s=new yt(o,this),a=s.u(this.options);s.p(n),this.T(a),this._$AH=s}}_$AC(t){let n=So.get(t.strings);return n===void 0&&So.set(t.strings,n=new Je(t)),n}k(t){On(this._$AH)||(this._$AH=[],this._$AR());let n=this._$AH,r,o=0;for(let s of t)o===n.length?n.push(r=new e(this.O(De()),this.O(De()),this,this.options)):r=n[o],r._$AI(s),o++;o<n.length&&(this._$AR(r&&r._$AB.nextSibling,o),n.length=o)}_$AR(t=this._$AA.nextSibling,n){for(this._$AP?.(!1,!0,n);t!==this._$AB;){let r=fo(t).nextSibling;fo(t).remove(),t=r}}setConnected(t){this._$AM===void 0&&(this._$Cv=t,this._$AP?.(t))}},be=class{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(t,n,r,o,s){this.type=1,this._$AH=b,this._$AN=void 0,this.element=t,this.name=n,this._$AM=o,this.options=s,r.length>2||r[0]!==""||r[1]!==""?(this._$AH=Array(r.length-1).fill(new String),this.strings=r):this._$AH=b}_$AI(t,n=this,r,o){let s=this.strings,a=!1;if(s===void 0)t=ge(this,t,n,0),a=!Fe(t)||t!==this._$AH&&t!==J,a&&(this._$AH=t);else{let i=t,l,c;for(t=s[0],l=0;l<s.length-1;l++)c=ge(this,i[r+l],n,l),c===J&&(c=this._$AH[l]),a||=!Fe(c)||c!==this._$AH[l],c===b?t=b:t!==b&&(t+=(c??"")+s[l+1]),this._$AH[l]=c}a&&!o&&this.j(t)}j(t){t===b?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,t??"")}},Et=class extends be{constructor(){super(...arguments),this.type=3}j(t){this.element[this.name]=t===b?void 0:t}},St=class extends be{constructor(){super(...arguments),this.type=4}j(t){this.element.toggleAttribute(this.name,!!t&&t!==b)}},vt=class extends be{constructor(t,n,r,o,s){super(t,n,r,o,s),this.type=5}_$AI(t,n=this){if((t=ge(this,t,n,0)??b)===J)return;let r=this._$AH,o=t===b&&r!==b||t.capture!==r.capture||t.once!==r.once||t.passive!==r.passive,s=t!==b&&(r===b||o);o&&this.element.removeEventListener(this.name,this,r),s&&this.element.addEventListener(this.name,this,t),this._$AH=t}handleEvent(t){typeof this._$AH=="function"?this._$AH.call(this.options?.host??this.element,t):this._$AH.handleEvent(t)}},xt=class{constructor(t,n,r){this.element=t,this.type=6,this._$AN=void 0,this._$AM=n,this.options=r}get _$AU(){return this._$AM._$AU}_$AI(t){ge(this,t)}},wo={M:Un,P:q,A:Vn,C:1,L:Ao,R:yt,D:vo,V:ge,I:xe,H:be,N:St,U:vt,B:Et,F:xt},nl=Gn.litHtmlPolyfillSupport;nl?.(Je,xe),(Gn.litHtmlVersions??=[]).push("3.3.3");var No=(e,t,n)=>{let r=n?.renderBefore??t,o=r._$litPart$;if(o===void 0){let s=n?.renderBefore??null;r._$litPart$=o=new xe(t.insertBefore(De(),s),s,void 0,n??{})}return o._$AI(e),o};var Mn=globalThis,V=class extends H{constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){let t=super.createRenderRoot();return this.renderOptions.renderBefore??=t.firstChild,t}update(t){let n=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(t),this._$Do=No(n,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return J}};V._$litElement$=!0,V.finalized=!0,Mn.litElementHydrateSupport?.({LitElement:V});var rl=Mn.litElementPolyfillSupport;rl?.({LitElement:V});(Mn.litElementVersions??=[]).push("4.2.2");function ae(e){let t=!1,n=[];for(let r=0;r<e.length;r++){let o=e.charAt(r);switch(o){case"_":t=!0;break;case"0":case"1":case"2":case"3":case"4":case"5":case"6":case"7":case"8":case"9":n.push(o),t=!1;break;default:t&&(t=!1,o=o.toUpperCase()),n.push(o);break}}return n.join("")}var ol=new Set(["constructor","toString","toJSON","valueOf"]);function Ie(e){return ol.has(e)?e+"$":e}function To(){let e=0,t=0;for(let r=0;r<28;r+=7){let o=this.buf[this.pos++];if(e|=(o&127)<<r,(o&128)==0)return this.assertBounds(),[e,t]}let n=this.buf[this.pos++];if(e|=(n&15)<<28,t=(n&112)>>4,(n&128)==0)return this.assertBounds(),[e,t];for(let r=3;r<=31;r+=7){let o=this.buf[this.pos++];if(t|=(o&127)<<r,(o&128)==0)return this.assertBounds(),[e,t]}throw new Error("invalid varint")}function At(e,t,n){for(let s=0;s<28;s=s+7){let a=e>>>s,i=!(!(a>>>7)&&t==0),l=(i?a|128:a)&255;if(n.push(l),!i)return}let r=e>>>28&15|(t&7)<<4,o=t>>3!=0;if(n.push((o?r|128:r)&255),!!o){for(let s=3;s<31;s=s+7){let a=t>>>s,i=!!(a>>>7),l=(i?a|128:a)&255;if(n.push(l),!i)return}n.push(t>>>31&1)}}var It=4294967296;function Dn(e){let t=e[0]==="-";t&&(e=e.slice(1));let n=1e6,r=0,o=0;function s(a,i){let l=Number(e.slice(a,i));o*=n,r=r*n+l,r>=It&&(o=o+(r/It|0),r=r%It)}return s(-24,-18),s(-18,-12),s(-12,-6),s(-6),t?_o(r,o):Jn(r,o)}function ko(e,t){let n=Jn(e,t),r=n.hi&2147483648;r&&(n=_o(n.lo,n.hi));let o=Fn(n.lo,n.hi);return r?"-"+o:o}function Fn(e,t){if({lo:e,hi:t}=sl(e,t),t<=2097151)return String(It*t+e);let n=e&16777215,r=(e>>>24|t<<8)&16777215,o=t>>16&65535,s=n+r*6777216+o*6710656,a=r+o*8147497,i=o*2,l=1e7;return s>=l&&(a+=Math.floor(s/l),s%=l),a>=l&&(i+=Math.floor(a/l),a%=l),i.toString()+Ro(a)+Ro(s)}function sl(e,t){return{lo:e>>>0,hi:t>>>0}}function Jn(e,t){return{lo:e|0,hi:t|0}}function _o(e,t){return t=~t,e?e=~e+1:t+=1,Jn(e,t)}var Ro=e=>{let t=String(e);return"0000000".slice(t.length)+t};function Yn(e,t){if(e>=0){for(;e>127;)t.push(e&127|128),e=e>>>7;t.push(e)}else{for(let n=0;n<9;n++)t.push(e&127|128),e=e>>7;t.push(1)}}function $o(){let e=this.buf[this.pos++],t=e&127;if((e&128)==0)return this.assertBounds(),t;if(e=this.buf[this.pos++],t|=(e&127)<<7,(e&128)==0)return this.assertBounds(),t;if(e=this.buf[this.pos++],t|=(e&127)<<14,(e&128)==0)return this.assertBounds(),t;if(e=this.buf[this.pos++],t|=(e&127)<<21,(e&128)==0)return this.assertBounds(),t;e=this.buf[this.pos++],t|=(e&15)<<28;for(let n=5;(e&128)!==0&&n<10;n++)e=this.buf[this.pos++];if((e&128)!=0)throw new Error("invalid varint");return this.assertBounds(),t>>>0}var I=al();function al(){let e=new DataView(new ArrayBuffer(8));if(typeof BigInt=="function"&&typeof e.getBigInt64=="function"&&typeof e.getBigUint64=="function"&&typeof e.setBigInt64=="function"&&typeof e.setBigUint64=="function"&&(typeof process!="object"||typeof process.env!="object"||process.env.BUF_BIGINT_DISABLE!=="1")){let n=BigInt("-9223372036854775808"),r=BigInt("9223372036854775807"),o=BigInt("0"),s=BigInt("18446744073709551615");return{zero:BigInt(0),supported:!0,parse(a){let i=typeof a=="bigint"?a:BigInt(a);if(i>r||i<n)throw new Error(`invalid int64: ${a}`);return i},uParse(a){let i=typeof a=="bigint"?a:BigInt(a);if(i>s||i<o)throw new Error(`invalid uint64: ${a}`);return i},enc(a){return e.setBigInt64(0,this.parse(a),!0),{lo:e.getInt32(0,!0),hi:e.getInt32(4,!0)}},uEnc(a){return e.setBigInt64(0,this.uParse(a),!0),{lo:e.getInt32(0,!0),hi:e.getInt32(4,!0)}},dec(a,i){return e.setInt32(0,a,!0),e.setInt32(4,i,!0),e.getBigInt64(0,!0)},uDec(a,i){return e.setInt32(0,a,!0),e.setInt32(4,i,!0),e.getBigUint64(0,!0)}}}return{zero:"0",supported:!1,parse(n){return typeof n!="string"&&(n=n.toString()),Co(n),n},uParse(n){return typeof n!="string"&&(n=n.toString()),Lo(n),n},enc(n){return typeof n!="string"&&(n=n.toString()),Co(n),Dn(n)},uEnc(n){return typeof n!="string"&&(n=n.toString()),Lo(n),Dn(n)},dec(n,r){return ko(n,r)},uDec(n,r){return Fn(n,r)}}}function Co(e){if(!/^-?[0-9]+$/.test(e))throw new Error("invalid int64: "+e)}function Lo(e){if(!/^[0-9]+$/.test(e))throw new Error("invalid uint64: "+e)}var u;(function(e){e[e.DOUBLE=1]="DOUBLE",e[e.FLOAT=2]="FLOAT",e[e.INT64=3]="INT64",e[e.UINT64=4]="UINT64",e[e.INT32=5]="INT32",e[e.FIXED64=6]="FIXED64",e[e.FIXED32=7]="FIXED32",e[e.BOOL=8]="BOOL",e[e.STRING=9]="STRING",e[e.BYTES=12]="BYTES",e[e.UINT32=13]="UINT32",e[e.SFIXED32=15]="SFIXED32",e[e.SFIXED64=16]="SFIXED64",e[e.SINT32=17]="SINT32",e[e.SINT64=18]="SINT64"})(u||(u={}));function M(e,t){switch(e){case u.STRING:return"";case u.BOOL:return!1;case u.DOUBLE:case u.FLOAT:return 0;case u.INT64:case u.UINT64:case u.SFIXED64:case u.FIXED64:case u.SINT64:return t?"0":I.zero;case u.BYTES:return new Uint8Array(0);default:return 0}}function Go(e,t){switch(e){case u.BOOL:return t===!1;case u.STRING:return t==="";case u.BYTES:return t instanceof Uint8Array&&!t.byteLength;default:return t==0}}var Uo=2,K=Symbol.for("reflect unsafe local");function wt(e,t){let n=e[t.localName].case;return n===void 0?n:t.fields.find(r=>r.localName===n)}function Vo(e,t){let n=t.localName;if(t.oneof)return e[t.oneof.localName].case===n;if(t.presence!=Uo)return e[n]!==void 0&&Object.prototype.hasOwnProperty.call(e,n);switch(t.fieldKind){case"list":return e[n].length>0;case"map":return Object.keys(e[n]).length>0;case"scalar":return!Go(t.scalar,e[n]);case"enum":return e[n]!==t.enum.values[0].number}throw new Error("message field with implicit presence")}function ye(e,t){return Object.prototype.hasOwnProperty.call(e,t)&&e[t]!==void 0}function Nt(e,t){if(t.oneof){let n=e[t.oneof.localName];return n.case===t.localName?n.value:void 0}return e[t.localName]}function Rt(e,t,n){t.oneof?e[t.oneof.localName]={case:t.localName,value:n}:e[t.localName]=n}function Oo(e,t){let n=t.localName;if(t.oneof){let r=t.oneof.localName;e[r].case===n&&(e[r]={case:void 0})}else if(t.presence!=Uo)delete e[n];else switch(t.fieldKind){case"map":e[n]={};break;case"list":e[n]=[];break;case"enum":e[n]=t.enum.values[0].number;break;case"scalar":e[n]=M(t.scalar,t.longAsString);break}}function Ye(e){for(let t of e.field)ye(t,"jsonName")||(t.jsonName=ae(t.name));e.nestedType.forEach(Ye)}function Bo(e,t){let n=e.values.find(r=>r.name===t);if(!n)throw new Error(`cannot parse ${e} default value: ${t}`);return n.number}function Mo(e,t){switch(e){case u.STRING:return t;case u.BYTES:{let n=il(t);if(n===!1)throw new Error(`cannot parse ${u[e]} default value: ${t}`);return n}case u.INT64:case u.SFIXED64:case u.SINT64:return I.parse(t);case u.UINT64:case u.FIXED64:return I.uParse(t);case u.DOUBLE:case u.FLOAT:switch(t){case"inf":return Number.POSITIVE_INFINITY;case"-inf":return Number.NEGATIVE_INFINITY;case"nan":return Number.NaN;default:return parseFloat(t)}case u.BOOL:return t==="true";case u.INT32:case u.UINT32:case u.SINT32:case u.FIXED32:case u.SFIXED32:return parseInt(t,10)}}function il(e){let t=[],n={tail:e,c:"",next(){return this.tail.length==0?!1:(this.c=this.tail[0],this.tail=this.tail.substring(1),!0)},take(r){if(this.tail.length>=r){let o=this.tail.substring(0,r);return this.tail=this.tail.substring(r),o}return!1}};for(;n.next();)switch(n.c){case"\\":if(n.next())switch(n.c){case"\\":t.push(n.c.charCodeAt(0));break;case"b":t.push(8);break;case"f":t.push(12);break;case"n":t.push(10);break;case"r":t.push(13);break;case"t":t.push(9);break;case"v":t.push(11);break;case"0":case"1":case"2":case"3":case"4":case"5":case"6":case"7":{let r=n.c,o=n.take(2);if(o===!1)return!1;let s=parseInt(r+o,8);if(Number.isNaN(s))return!1;t.push(s);break}case"x":{let r=n.c,o=n.take(2);if(o===!1)return!1;let s=parseInt(r+o,16);if(Number.isNaN(s))return!1;t.push(s);break}case"u":{let r=n.c,o=n.take(4);if(o===!1)return!1;let s=parseInt(r+o,16);if(Number.isNaN(s))return!1;let a=new Uint8Array(4);new DataView(a.buffer).setInt32(0,s,!0),t.push(a[0],a[1],a[2],a[3]);break}case"U":{let r=n.c,o=n.take(8);if(o===!1)return!1;let s=I.uEnc(r+o),a=new Uint8Array(8),i=new DataView(a.buffer);i.setInt32(0,s.lo,!0),i.setInt32(4,s.hi,!0),t.push(a[0],a[1],a[2],a[3],a[4],a[5],a[6],a[7]);break}}break;default:t.push(n.c.charCodeAt(0))}return new Uint8Array(t)}function*Tt(e){switch(e.kind){case"file":for(let t of e.messages)yield t,yield*Tt(t);yield*e.enums,yield*e.services,yield*e.extensions;break;case"message":for(let t of e.nestedMessages)yield t,yield*Tt(t);yield*e.nestedEnums,yield*e.nestedExtensions;break}}function kt(...e){let t=ll();if(!e.length)return t;if("$typeName"in e[0]&&e[0].$typeName=="google.protobuf.FileDescriptorSet"){for(let r of e[0].file)Yo(r,t);return t}if("$typeName"in e[0]){let a=function(i){let l=[];for(let c of i.dependency){if(t.getFile(c)!=null||s.has(c))continue;let m=o(c);if(!m)throw new Error(`Unable to resolve ${c}, imported by ${i.name}`);"kind"in m?t.addFile(m,!1,!0):(s.add(m.name),l.push(m))}return l.concat(...l.map(a))};var n=a;let r=e[0],o=e[1],s=new Set;for(let i of[r,...a(r)].reverse())Yo(i,t)}else for(let r of e)for(let o of r.files)t.addFile(o);return t}function ll(){let e=new Map,t=new Map,n=new Map;return{kind:"registry",types:e,extendees:t,[Symbol.iterator](){return e.values()},get files(){return n.values()},addFile(r,o,s){if(n.set(r.proto.name,r),!o)for(let a of Tt(r))this.add(a);if(s)for(let a of r.dependencies)this.addFile(a,o,s)},add(r){if(r.kind=="extension"){let o=t.get(r.extendee.typeName);o||t.set(r.extendee.typeName,o=new Map),o.set(r.number,r)}e.set(r.typeName,r)},get(r){return e.get(r)},getFile(r){return n.get(r)},getMessage(r){let o=e.get(r);return o?.kind=="message"?o:void 0},getEnum(r){let o=e.get(r);return o?.kind=="enum"?o:void 0},getExtension(r){let o=e.get(r);return o?.kind=="extension"?o:void 0},getExtensionFor(r,o){var s;return(s=t.get(r.typeName))===null||s===void 0?void 0:s.get(o)},getService(r){let o=e.get(r);return o?.kind=="service"?o:void 0}}}var cl=998,ul=999,dl=9,We=10,Ze=11,pl=12,Do=14,Xn=3,ml=2,Fo=1,fl=0,Zn=1,Jo=2,hl=3,gl=1,bl=2,yl=1;var Wo={998:{fieldPresence:1,enumType:2,repeatedFieldEncoding:2,utf8Validation:3,messageEncoding:1,jsonFormat:2,enforceNamingStyle:2,defaultSymbolVisibility:1},999:{fieldPresence:2,enumType:1,repeatedFieldEncoding:1,utf8Validation:2,messageEncoding:1,jsonFormat:1,enforceNamingStyle:2,defaultSymbolVisibility:1},1e3:{fieldPresence:1,enumType:1,repeatedFieldEncoding:1,utf8Validation:2,messageEncoding:1,jsonFormat:1,enforceNamingStyle:2,defaultSymbolVisibility:1}};function Yo(e,t){var n,r;let o={kind:"file",proto:e,deprecated:(r=(n=e.options)===null||n===void 0?void 0:n.deprecated)!==null&&r!==void 0?r:!1,edition:xl(e),name:e.name.replace(/\.proto$/,""),dependencies:Il(e,t),enums:[],messages:[],extensions:[],services:[],toString(){return`file ${e.name}`}},s=new Map,a={get(i){return s.get(i)},add(i){var l;P(((l=i.proto.options)===null||l===void 0?void 0:l.mapEntry)===!0),s.set(i.typeName,i)}};for(let i of e.enumType)Ko(i,o,void 0,t);for(let i of e.messageType)Po(i,o,void 0,t,a);for(let i of e.service)El(i,o,t);Wn(o,t);for(let i of s.values())Kn(i,t,a);for(let i of o.messages)Kn(i,t,a),Wn(i,t);t.addFile(o,!0)}function Wn(e,t){switch(e.kind){case"file":for(let n of e.proto.extension){let r=Pn(n,e,t);e.extensions.push(r),t.add(r)}break;case"message":for(let n of e.proto.extension){let r=Pn(n,e,t);e.nestedExtensions.push(r),t.add(r)}for(let n of e.nestedMessages)Wn(n,t);break}}function Kn(e,t,n){let r=e.proto.oneofDecl.map(s=>vl(s,e)),o=new Set;for(let s of e.proto.field){let a=Nl(s,r),i=Pn(s,e,t,a,n);e.fields.push(i),e.field[i.localName]=i,a===void 0?e.members.push(i):(a.fields.push(i),o.has(a)||(o.add(a),e.members.push(a)))}for(let s of r.filter(a=>o.has(a)))e.oneofs.push(s);for(let s of e.nestedMessages)Kn(s,t,n)}function Ko(e,t,n,r){var o,s,a,i,l;let c=Al(e.name,e.value),m={kind:"enum",proto:e,deprecated:(s=(o=e.options)===null||o===void 0?void 0:o.deprecated)!==null&&s!==void 0?s:!1,file:t,parent:n,open:!0,name:e.name,typeName:_t(e,n,t),value:{},values:[],sharedPrefix:c,toString(){return`enum ${this.typeName}`}};m.open=_l(m),r.add(m);for(let p of e.value){let g=p.name;m.values.push(m.value[p.number]={kind:"enum_value",proto:p,deprecated:(i=(a=p.options)===null||a===void 0?void 0:a.deprecated)!==null&&i!==void 0?i:!1,parent:m,name:g,localName:Ie(c==null?g:g.substring(c.length)),number:p.number,toString(){return`enum value ${m.typeName}.${g}`}})}((l=n?.nestedEnums)!==null&&l!==void 0?l:t.enums).push(m)}function Po(e,t,n,r,o){var s,a,i,l;let c={kind:"message",proto:e,deprecated:(a=(s=e.options)===null||s===void 0?void 0:s.deprecated)!==null&&a!==void 0?a:!1,file:t,parent:n,name:e.name,typeName:_t(e,n,t),fields:[],field:{},oneofs:[],members:[],nestedEnums:[],nestedMessages:[],nestedExtensions:[],toString(){return`message ${this.typeName}`}};((i=e.options)===null||i===void 0?void 0:i.mapEntry)===!0?o.add(c):(((l=n?.nestedMessages)!==null&&l!==void 0?l:t.messages).push(c),r.add(c));for(let m of e.enumType)Ko(m,t,c,r);for(let m of e.nestedType)Po(m,t,c,r,o)}function El(e,t,n){var r,o;let s={kind:"service",proto:e,deprecated:(o=(r=e.options)===null||r===void 0?void 0:r.deprecated)!==null&&o!==void 0?o:!1,file:t,name:e.name,typeName:_t(e,void 0,t),methods:[],method:{},toString(){return`service ${this.typeName}`}};t.services.push(s),n.add(s);for(let a of e.method){let i=Sl(a,s,n);s.methods.push(i),s.method[i.localName]=i}}function Sl(e,t,n){var r,o,s,a;let i;e.clientStreaming&&e.serverStreaming?i="bidi_streaming":e.clientStreaming?i="client_streaming":e.serverStreaming?i="server_streaming":i="unary";let l=n.getMessage(ee(e.inputType)),c=n.getMessage(ee(e.outputType));P(l,`invalid MethodDescriptorProto: input_type ${e.inputType} not found`),P(c,`invalid MethodDescriptorProto: output_type ${e.inputType} not found`);let m=e.name;return{kind:"rpc",proto:e,deprecated:(o=(r=e.options)===null||r===void 0?void 0:r.deprecated)!==null&&o!==void 0?o:!1,parent:t,name:m,localName:Ie(m.length?Ie(m[0].toLowerCase()+m.substring(1)):m),methodKind:i,input:l,output:c,idempotency:(a=(s=e.options)===null||s===void 0?void 0:s.idempotencyLevel)!==null&&a!==void 0?a:fl,toString(){return`rpc ${t.typeName}.${m}`}}}function vl(e,t){return{kind:"oneof",proto:e,deprecated:!1,parent:t,fields:[],name:e.name,localName:Ie(ae(e.name)),toString(){return`oneof ${t.typeName}.${this.name}`}}}function Pn(e,t,n,r,o){var s,a,i;let l=o===void 0,c={kind:"field",proto:e,deprecated:(a=(s=e.options)===null||s===void 0?void 0:s.deprecated)!==null&&a!==void 0?a:!1,name:e.name,number:e.number,scalar:void 0,message:void 0,enum:void 0,presence:Rl(e,r,l,t),listKind:void 0,mapKind:void 0,mapKey:void 0,delimitedEncoding:void 0,packed:void 0,longAsString:!1,getDefaultValue:void 0};if(l){let d=t.kind=="file"?t:t.file,h=t.kind=="file"?void 0:t,y=_t(e,h,d);c.kind="extension",c.file=d,c.parent=h,c.oneof=void 0,c.typeName=y,c.jsonName=`[${y}]`,c.toString=()=>`extension ${y}`;let x=n.getMessage(ee(e.extendee));P(x,`invalid FieldDescriptorProto: extendee ${e.extendee} not found`),c.extendee=x}else{let d=t;P(d.kind=="message"),c.parent=d,c.oneof=r,c.localName=r?ae(e.name):Ie(ae(e.name)),c.jsonName=e.jsonName,c.toString=()=>`field ${d.typeName}.${e.name}`}let m=e.label,p=e.type,g=(i=e.options)===null||i===void 0?void 0:i.jstype;if(m===Xn){let d=p==Ze?o?.get(ee(e.typeName)):void 0;if(d){c.fieldKind="map";let{key:h,value:y}=kl(d);return c.mapKey=h.scalar,c.mapKind=y.fieldKind,c.message=y.message,c.delimitedEncoding=!1,c.enum=y.enum,c.scalar=y.scalar,c}switch(c.fieldKind="list",p){case Ze:case We:c.listKind="message",c.message=n.getMessage(ee(e.typeName)),P(c.message),c.delimitedEncoding=Zo(e,t);break;case Do:c.listKind="enum",c.enum=n.getEnum(ee(e.typeName)),P(c.enum);break;default:c.listKind="scalar",c.scalar=p,c.longAsString=g==Fo;break}return c.packed=Tl(e,t),c}switch(p){case Ze:case We:c.fieldKind="message",c.message=n.getMessage(ee(e.typeName)),P(c.message,`invalid FieldDescriptorProto: type_name ${e.typeName} not found`),c.delimitedEncoding=Zo(e,t),c.getDefaultValue=()=>{};break;case Do:{let d=n.getEnum(ee(e.typeName));P(d!==void 0,`invalid FieldDescriptorProto: type_name ${e.typeName} not found`),c.fieldKind="enum",c.enum=n.getEnum(ee(e.typeName)),c.getDefaultValue=()=>ye(e,"defaultValue")?Bo(d,e.defaultValue):void 0;break}default:{c.fieldKind="scalar",c.scalar=p,c.longAsString=g==Fo,c.getDefaultValue=()=>ye(e,"defaultValue")?Mo(p,e.defaultValue):void 0;break}}return c}function xl(e){switch(e.syntax){case"":case"proto2":return cl;case"proto3":return ul;case"editions":if(e.edition in Wo)return e.edition;throw new Error(`${e.name}: unsupported edition`);default:throw new Error(`${e.name}: unsupported syntax "${e.syntax}"`)}}function Il(e,t){return e.dependency.map(n=>{let r=t.getFile(n);if(!r)throw new Error(`Cannot find ${n}, imported by ${e.name}`);return r})}function Al(e,t){let n=wl(e)+"_";for(let r of t){if(!r.name.toLowerCase().startsWith(n))return;let o=r.name.substring(n.length);if(o.length==0||/^\d/.test(o))return}return n}function wl(e){return(e.substring(0,1)+e.substring(1).replace(/[A-Z]/g,t=>"_"+t)).toLowerCase()}function _t(e,t,n){let r;return t?r=`${t.typeName}.${e.name}`:n.proto.package.length>0?r=`${n.proto.package}.${e.name}`:r=`${e.name}`,r}function ee(e){return e.startsWith(".")?e.substring(1):e}function Nl(e,t){if(!ye(e,"oneofIndex")||e.proto3Optional)return;let n=t[e.oneofIndex];return P(n,`invalid FieldDescriptorProto: oneof #${e.oneofIndex} for field #${e.number} not found`),n}function Rl(e,t,n,r){if(e.label==ml)return hl;if(e.label==Xn)return Jo;if(t||e.proto3Optional||n)return Zn;let o=Ae("fieldPresence",{proto:e,parent:r});return o==Jo&&(e.type==Ze||e.type==We)?Zn:o}function Tl(e,t){if(e.label!=Xn)return!1;switch(e.type){case dl:case pl:case We:case Ze:return!1}let n=e.options;return n&&ye(n,"packed")?n.packed:gl==Ae("repeatedFieldEncoding",{proto:e,parent:t})}function kl(e){let t=e.fields.find(r=>r.number===1),n=e.fields.find(r=>r.number===2);return P(t&&t.fieldKind=="scalar"&&t.scalar!=u.BYTES&&t.scalar!=u.FLOAT&&t.scalar!=u.DOUBLE&&n&&n.fieldKind!="list"&&n.fieldKind!="map"),{key:t,value:n}}function _l(e){var t;return yl==Ae("enumType",{proto:e.proto,parent:(t=e.parent)!==null&&t!==void 0?t:e.file})}function Zo(e,t){return e.type==We?!0:bl==Ae("messageEncoding",{proto:e,parent:t})}function Ae(e,t){var n,r;let o=(n=t.proto.options)===null||n===void 0?void 0:n.features;if(o){let s=o[e];if(s!=0)return s}if("kind"in t){if(t.kind=="message")return Ae(e,(r=t.parent)!==null&&r!==void 0?r:t.file);let s=Wo[t.edition];if(!s)throw new Error(`feature default for edition ${t.edition} not found`);return s[e]}return Ae(e,t.parent)}function P(e,t){if(!e)throw new Error(t)}function Xo(e){let t=$l(e);return t.messageType.forEach(Ye),kt(t,()=>{}).getFile(t.name)}function $l(e){return Object.assign(Object.create({syntax:"",edition:0}),Object.assign(Object.assign({$typeName:"google.protobuf.FileDescriptorProto",dependency:[],publicDependency:[],weakDependency:[],optionDependency:[],service:[],extension:[]},e),{messageType:e.messageType.map(Qo),enumType:e.enumType.map(zo)}))}function Qo(e){var t,n,r,o,s,a,i,l;return Object.assign(Object.create({visibility:0}),{$typeName:"google.protobuf.DescriptorProto",name:e.name,field:(n=(t=e.field)===null||t===void 0?void 0:t.map(Cl))!==null&&n!==void 0?n:[],extension:[],nestedType:(o=(r=e.nestedType)===null||r===void 0?void 0:r.map(Qo))!==null&&o!==void 0?o:[],enumType:(a=(s=e.enumType)===null||s===void 0?void 0:s.map(zo))!==null&&a!==void 0?a:[],extensionRange:(l=(i=e.extensionRange)===null||i===void 0?void 0:i.map(m=>Object.assign({$typeName:"google.protobuf.DescriptorProto.ExtensionRange"},m)))!==null&&l!==void 0?l:[],oneofDecl:[],reservedRange:[],reservedName:[]})}function Cl(e){return Object.assign(Object.create({label:1,typeName:"",extendee:"",defaultValue:"",oneofIndex:0,jsonName:"",proto3Optional:!1}),Object.assign(Object.assign({$typeName:"google.protobuf.FieldDescriptorProto"},e),{options:e.options?Ll(e.options):void 0}))}function Ll(e){var t,n,r;return Object.assign(Object.create({ctype:0,packed:!1,jstype:0,lazy:!1,unverifiedLazy:!1,deprecated:!1,weak:!1,debugRedact:!1,retention:0}),Object.assign(Object.assign({$typeName:"google.protobuf.FieldOptions"},e),{targets:(t=e.targets)!==null&&t!==void 0?t:[],editionDefaults:(r=(n=e.editionDefaults)===null||n===void 0?void 0:n.map(s=>Object.assign({$typeName:"google.protobuf.FieldOptions.EditionDefault"},s)))!==null&&r!==void 0?r:[],uninterpretedOption:[]}))}function zo(e){return Object.assign(Object.create({visibility:0}),{$typeName:"google.protobuf.EnumDescriptorProto",name:e.name,reservedName:[],reservedRange:[],value:e.value.map(n=>Object.assign({$typeName:"google.protobuf.EnumValueDescriptorProto"},n))})}function Ne(e){let t=Gl(),n=e.length*3/4;e[e.length-2]=="="?n-=2:e[e.length-1]=="="&&(n-=1);let r=new Uint8Array(n),o=0,s=0,a,i=0;for(let l=0;l<e.length;l++){if(a=t[e.charCodeAt(l)],a===void 0)switch(e[l]){case"=":s=0;case`
`:case"\r":case"	":case" ":continue;default:throw Error("invalid base64 string")}switch(s){case 0:i=a,s=1;break;case 1:r[o++]=i<<2|(a&48)>>4,i=a,s=2;break;case 2:r[o++]=(i&15)<<4|(a&60)>>2,i=a,s=3;break;case 3:r[o++]=(i&3)<<6|a,s=0;break}}if(s==1)throw Error("invalid base64 string");return r.subarray(0,o)}function Ke(e,t="std"){let n=Ho(t),r=t=="std",o="",s=0,a,i=0;for(let l=0;l<e.length;l++)switch(a=e[l],s){case 0:o+=n[a>>2],i=(a&3)<<4,s=1;break;case 1:o+=n[i|a>>4],i=(a&15)<<2,s=2;break;case 2:o+=n[i|a>>6],o+=n[a&63],s=0;break}return s&&(o+=n[i],r&&(o+="=",s==1&&(o+="="))),o}var $t,jo,we;function Ho(e){return $t||($t="ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".split(""),jo=$t.slice(0,-2).concat("-","_")),e=="url"?jo:$t}function Gl(){if(!we){we=[];let e=Ho("std");for(let t=0;t<e.length;t++)we[e[t].charCodeAt(0)]=t;we[45]=e.indexOf("+"),we[95]=e.indexOf("/")}return we}function Pe(e,t){return e!==null&&typeof e=="object"&&"$typeName"in e&&typeof e.$typeName=="string"?t===void 0?!0:t.typeName===e.$typeName:!1}var Ul=["FieldValueInvalidError","FieldListRangeError","ForeignFieldError"],T=class extends Error{constructor(t,n,r="FieldValueInvalidError"){super(n),this.name=r,this.field=()=>t}};function qo(e){return e instanceof Error&&Ul.includes(e.name)&&"field"in e&&typeof e.field=="function"}function X(e){return e!==null&&typeof e=="object"&&!Array.isArray(e)}function Xe(e,t){var n,r,o,s;if(X(e)&&K in e&&"add"in e&&"field"in e&&typeof e.field=="function"){if(t!==void 0){let a=t,i=e.field();return a.listKind==i.listKind&&a.scalar===i.scalar&&((n=a.message)===null||n===void 0?void 0:n.typeName)===((r=i.message)===null||r===void 0?void 0:r.typeName)&&((o=a.enum)===null||o===void 0?void 0:o.typeName)===((s=i.enum)===null||s===void 0?void 0:s.typeName)}return!0}return!1}function Qe(e,t){var n,r,o,s;if(X(e)&&K in e&&"has"in e&&"field"in e&&typeof e.field=="function"){if(t!==void 0){let a=t,i=e.field();return a.mapKey===i.mapKey&&a.mapKind==i.mapKind&&a.scalar===i.scalar&&((n=a.message)===null||n===void 0?void 0:n.typeName)===((r=i.message)===null||r===void 0?void 0:r.typeName)&&((o=a.enum)===null||o===void 0?void 0:o.typeName)===((s=i.enum)===null||s===void 0?void 0:s.typeName)}return!0}return!1}function ze(e,t){return X(e)&&K in e&&"desc"in e&&X(e.desc)&&e.desc.kind==="message"&&(t===void 0||e.desc.typeName==t.typeName)}var Qn=Symbol.for("@bufbuild/protobuf/text-encoding");function je(){if(globalThis[Qn]==null){let e=new globalThis.TextEncoder,t=new globalThis.TextDecoder;globalThis[Qn]={encodeUtf8(n){return e.encode(n)},decodeUtf8(n){return t.decode(n)},checkUtf8(n){try{return encodeURIComponent(n),!0}catch{return!1}}}}return globalThis[Qn]}var N;(function(e){e[e.Varint=0]="Varint",e[e.Bit64=1]="Bit64",e[e.LengthDelimited=2]="LengthDelimited",e[e.StartGroup=3]="StartGroup",e[e.EndGroup=4]="EndGroup",e[e.Bit32=5]="Bit32"})(N||(N={}));var jn=34028234663852886e22,Hn=-34028234663852886e22,qn=4294967295,er=2147483647,tr=-2147483648,ie=class{constructor(t=je().encodeUtf8){this.encodeUtf8=t,this.stack=[],this.chunks=[],this.buf=[]}finish(){this.buf.length&&(this.chunks.push(new Uint8Array(this.buf)),this.buf=[]);let t=0;for(let o=0;o<this.chunks.length;o++)t+=this.chunks[o].length;let n=new Uint8Array(t),r=0;for(let o=0;o<this.chunks.length;o++)n.set(this.chunks[o],r),r+=this.chunks[o].length;return this.chunks=[],n}fork(){return this.stack.push({chunks:this.chunks,buf:this.buf}),this.chunks=[],this.buf=[],this}join(){let t=this.finish(),n=this.stack.pop();if(!n)throw new Error("invalid state, fork stack empty");return this.chunks=n.chunks,this.buf=n.buf,this.uint32(t.byteLength),this.raw(t)}tag(t,n){return this.uint32((t<<3|n)>>>0)}raw(t){return this.buf.length&&(this.chunks.push(new Uint8Array(this.buf)),this.buf=[]),this.chunks.push(t),this}uint32(t){for(es(t);t>127;)this.buf.push(t&127|128),t=t>>>7;return this.buf.push(t),this}int32(t){return zn(t),Yn(t,this.buf),this}bool(t){return this.buf.push(t?1:0),this}bytes(t){return this.uint32(t.byteLength),this.raw(t)}string(t){let n=this.encodeUtf8(t);return this.uint32(n.byteLength),this.raw(n)}float(t){Vl(t);let n=new Uint8Array(4);return new DataView(n.buffer).setFloat32(0,t,!0),this.raw(n)}double(t){let n=new Uint8Array(8);return new DataView(n.buffer).setFloat64(0,t,!0),this.raw(n)}fixed32(t){es(t);let n=new Uint8Array(4);return new DataView(n.buffer).setUint32(0,t,!0),this.raw(n)}sfixed32(t){zn(t);let n=new Uint8Array(4);return new DataView(n.buffer).setInt32(0,t,!0),this.raw(n)}sint32(t){return zn(t),t=(t<<1^t>>31)>>>0,Yn(t,this.buf),this}sfixed64(t){let n=new Uint8Array(8),r=new DataView(n.buffer),o=I.enc(t);return r.setInt32(0,o.lo,!0),r.setInt32(4,o.hi,!0),this.raw(n)}fixed64(t){let n=new Uint8Array(8),r=new DataView(n.buffer),o=I.uEnc(t);return r.setInt32(0,o.lo,!0),r.setInt32(4,o.hi,!0),this.raw(n)}int64(t){let n=I.enc(t);return At(n.lo,n.hi,this.buf),this}sint64(t){let n=I.enc(t),r=n.hi>>31,o=n.lo<<1^r,s=(n.hi<<1|n.lo>>>31)^r;return At(o,s,this.buf),this}uint64(t){let n=I.uEnc(t);return At(n.lo,n.hi,this.buf),this}},Ee=class{constructor(t,n=je().decodeUtf8){this.decodeUtf8=n,this.varint64=To,this.uint32=$o,this.buf=t,this.len=t.length,this.pos=0,this.view=new DataView(t.buffer,t.byteOffset,t.byteLength)}tag(){let t=this.uint32(),n=t>>>3,r=t&7;if(n<=0||r<0||r>5)throw new Error("illegal tag: field no "+n+" wire type "+r);return[n,r]}skip(t,n){let r=this.pos;switch(t){case N.Varint:for(;this.buf[this.pos++]&128;);break;case N.Bit64:this.pos+=4;case N.Bit32:this.pos+=4;break;case N.LengthDelimited:let o=this.uint32();this.pos+=o;break;case N.StartGroup:for(;;){let[s,a]=this.tag();if(a===N.EndGroup){if(n!==void 0&&s!==n)throw new Error("invalid end group tag");break}this.skip(a,s)}break;default:throw new Error("cant skip wire type "+t)}return this.assertBounds(),this.buf.subarray(r,this.pos)}assertBounds(){if(this.pos>this.len)throw new RangeError("premature EOF")}int32(){return this.uint32()|0}sint32(){let t=this.uint32();return t>>>1^-(t&1)}int64(){return I.dec(...this.varint64())}uint64(){return I.uDec(...this.varint64())}sint64(){let[t,n]=this.varint64(),r=-(t&1);return t=(t>>>1|(n&1)<<31)^r,n=n>>>1^r,I.dec(t,n)}bool(){let[t,n]=this.varint64();return t!==0||n!==0}fixed32(){return this.view.getUint32((this.pos+=4)-4,!0)}sfixed32(){return this.view.getInt32((this.pos+=4)-4,!0)}fixed64(){return I.uDec(this.sfixed32(),this.sfixed32())}sfixed64(){return I.dec(this.sfixed32(),this.sfixed32())}float(){return this.view.getFloat32((this.pos+=4)-4,!0)}double(){return this.view.getFloat64((this.pos+=8)-8,!0)}bytes(){let t=this.uint32(),n=this.pos;return this.pos+=t,this.assertBounds(),this.buf.subarray(n,n+t)}string(){return this.decodeUtf8(this.bytes())}};function zn(e){if(typeof e=="string")e=Number(e);else if(typeof e!="number")throw new Error("invalid int32: "+typeof e);if(!Number.isInteger(e)||e>er||e<tr)throw new Error("invalid int32: "+e)}function es(e){if(typeof e=="string")e=Number(e);else if(typeof e!="number")throw new Error("invalid uint32: "+typeof e);if(!Number.isInteger(e)||e>qn||e<0)throw new Error("invalid uint32: "+e)}function Vl(e){if(typeof e=="string"){let t=e;if(e=Number(e),Number.isNaN(e)&&t!=="NaN")throw new Error("invalid float32: "+t)}else if(typeof e!="number")throw new Error("invalid float32: "+typeof e);if(Number.isFinite(e)&&(e>jn||e<Hn))throw new Error("invalid float32: "+e)}function te(e,t){let n=e.fieldKind=="list"?Xe(t,e):e.fieldKind=="map"?Qe(t,e):rr(e,t);if(n===!0)return;let r;switch(e.fieldKind){case"list":r=`expected ${os(e)}, got ${R(t)}`;break;case"map":r=`expected ${ss(e)}, got ${R(t)}`;break;default:r=Ct(e,t,n)}return new T(e,r)}function nr(e,t,n){let r=rr(e,n);if(r!==!0)return new T(e,`list item #${t+1}: ${Ct(e,n,r)}`)}function ts(e,t,n){let r=ns(t,e.mapKey);if(r!==!0)return new T(e,`invalid map key: ${Ct({scalar:e.mapKey},t,r)}`);let o=rr(e,n);if(o!==!0)return new T(e,`map entry ${R(t)}: ${Ct(e,n,o)}`)}function rr(e,t){return e.scalar!==void 0?ns(t,e.scalar):e.enum!==void 0?e.enum.open?Number.isInteger(t):e.enum.values.some(n=>n.number===t):ze(t,e.message)}function ns(e,t){switch(t){case u.DOUBLE:return typeof e=="number";case u.FLOAT:return typeof e!="number"?!1:Number.isNaN(e)||!Number.isFinite(e)?!0:e>jn||e<Hn?`${e.toFixed()} out of range`:!0;case u.INT32:case u.SFIXED32:case u.SINT32:return typeof e!="number"||!Number.isInteger(e)?!1:e>er||e<tr?`${e.toFixed()} out of range`:!0;case u.FIXED32:case u.UINT32:return typeof e!="number"||!Number.isInteger(e)?!1:e>qn||e<0?`${e.toFixed()} out of range`:!0;case u.BOOL:return typeof e=="boolean";case u.STRING:return typeof e!="string"?!1:je().checkUtf8(e)||"invalid UTF8";case u.BYTES:return e instanceof Uint8Array;case u.INT64:case u.SFIXED64:case u.SINT64:if(typeof e=="bigint"||typeof e=="number"||typeof e=="string"&&e.length>0)try{return I.parse(e),!0}catch{return`${e} out of range`}return!1;case u.FIXED64:case u.UINT64:if(typeof e=="bigint"||typeof e=="number"||typeof e=="string"&&e.length>0)try{return I.uParse(e),!0}catch{return`${e} out of range`}return!1}}function Ct(e,t,n){return n=typeof n=="string"?`: ${n}`:`, got ${R(t)}`,e.scalar!==void 0?`expected ${Ol(e.scalar)}`+n:e.enum!==void 0?`expected ${e.enum.toString()}`+n:`expected ${rs(e.message)}`+n}function R(e){switch(typeof e){case"object":return e===null?"null":e instanceof Uint8Array?`Uint8Array(${e.length})`:Array.isArray(e)?`Array(${e.length})`:Xe(e)?os(e.field()):Qe(e)?ss(e.field()):ze(e)?rs(e.desc):Pe(e)?`message ${e.$typeName}`:"object";case"string":return e.length>30?"string":`"${e.split('"').join('\\"')}"`;case"boolean":return String(e);case"number":return String(e);case"bigint":return String(e)+"n";default:return typeof e}}function rs(e){return`ReflectMessage (${e.typeName})`}function os(e){switch(e.listKind){case"message":return`ReflectList (${e.message.toString()})`;case"enum":return`ReflectList (${e.enum.toString()})`;case"scalar":return`ReflectList (${u[e.scalar]})`}}function ss(e){switch(e.mapKind){case"message":return`ReflectMap (${u[e.mapKey]}, ${e.message.toString()})`;case"enum":return`ReflectMap (${u[e.mapKey]}, ${e.enum.toString()})`;case"scalar":return`ReflectMap (${u[e.mapKey]}, ${u[e.scalar]})`}}function Ol(e){switch(e){case u.STRING:return"string";case u.BOOL:return"boolean";case u.INT64:case u.SINT64:case u.SFIXED64:return"bigint (int64)";case u.UINT64:case u.FIXED64:return"bigint (uint64)";case u.BYTES:return"Uint8Array";case u.DOUBLE:return"number (float64)";case u.FLOAT:return"number (float32)";case u.FIXED32:case u.UINT32:return"number (uint32)";case u.INT32:case u.SFIXED32:case u.SINT32:return"number (int32)"}}function as(e){return is(e.$typeName)}function Q(e){let t=e.fields[0];return is(e.typeName)&&t!==void 0&&t.fieldKind=="scalar"&&t.name=="value"&&t.number==1}function is(e){return e.startsWith("google.protobuf.")&&["DoubleValue","FloatValue","Int64Value","UInt64Value","Int32Value","UInt32Value","BoolValue","StringValue","BytesValue"].includes(e.substring(16))}var Bl=999,Ml=998,Lt=2;function k(e,t){if(Pe(t,e))return t;let n=Zl(e);return t!==void 0&&Dl(e,n,t),n}function Dl(e,t,n){for(let r of e.members){let o=n[r.localName];if(o==null)continue;let s;if(r.kind=="oneof"){let a=wt(n,r);if(!a)continue;s=a,o=Nt(n,a)}else s=r;switch(s.fieldKind){case"message":o=sr(s,o);break;case"scalar":o=us(s,o);break;case"list":o=Jl(s,o);break;case"map":o=Fl(s,o);break}Rt(t,s,o)}return t}function us(e,t){return e.scalar==u.BYTES?ar(t):t}function Fl(e,t){if(X(t)){if(e.scalar==u.BYTES)return ls(t,ar);if(e.mapKind=="message")return ls(t,n=>sr(e,n))}return t}function Jl(e,t){if(Array.isArray(t)){if(e.scalar==u.BYTES)return t.map(ar);if(e.listKind=="message")return t.map(n=>sr(e,n))}return t}function sr(e,t){if(e.fieldKind=="message"&&!e.oneof&&Q(e.message))return us(e.message.fields[0],t);if(X(t)){if(e.message.typeName=="google.protobuf.Struct"&&e.parent.typeName!=="google.protobuf.Value")return t;if(!Pe(t,e.message))return k(e.message,t)}return t}function ar(e){return Array.isArray(e)?new Uint8Array(e):e}function ls(e,t){let n={};for(let r of Object.entries(e))n[r[0]]=t(r[1]);return n}var Yl=Symbol(),cs=new WeakMap;function Zl(e){let t;if(Wl(e)){let n=cs.get(e),r,o;if(n)({prototype:r,members:o}=n);else{r={},o=new Set;for(let s of e.members)s.kind!="oneof"&&(s.fieldKind!="scalar"&&s.fieldKind!="enum"||s.presence!=Lt&&(o.add(s),r[s.localName]=or(s)));cs.set(e,{prototype:r,members:o})}t=Object.create(r),t.$typeName=e.typeName;for(let s of e.members)o.has(s)||s.kind=="field"&&(s.fieldKind=="message"||(s.fieldKind=="scalar"||s.fieldKind=="enum")&&s.presence!=Lt)||(t[s.localName]=or(s))}else{t={$typeName:e.typeName};for(let n of e.members)(n.kind=="oneof"||n.presence==Lt)&&(t[n.localName]=or(n))}return t}function Wl(e){switch(e.file.edition){case Bl:return!1;case Ml:return!0;default:return e.fields.some(t=>t.presence!=Lt&&t.fieldKind!="message"&&!t.oneof)}}function or(e){if(e.kind=="oneof")return{case:void 0};if(e.fieldKind=="list")return[];if(e.fieldKind=="map")return{};if(e.fieldKind=="message")return Yl;let t=e.getDefaultValue();return t!==void 0?e.fieldKind=="scalar"&&e.longAsString?t.toString():t:e.fieldKind=="scalar"?M(e.scalar,e.longAsString):e.enum.values[0].number}function C(e,t,n=!0){return new Ut(e,t,n)}var Ut=class{get sortedFields(){var t;return(t=this._sortedFields)!==null&&t!==void 0?t:this._sortedFields=this.desc.fields.concat().sort((n,r)=>n.number-r.number)}constructor(t,n,r=!0){this.lists=new Map,this.maps=new Map,this.check=r,this.desc=t,this.message=this[K]=n??k(t),this.fields=t.fields,this.oneofs=t.oneofs,this.members=t.members}findNumber(t){return this._fieldsByNumber||(this._fieldsByNumber=new Map(this.desc.fields.map(n=>[n.number,n]))),this._fieldsByNumber.get(t)}oneofCase(t){return He(this.message,t),wt(this.message,t)}isSet(t){return He(this.message,t),Vo(this.message,t)}clear(t){He(this.message,t),Oo(this.message,t)}get(t){He(this.message,t);let n=Nt(this.message,t);switch(t.fieldKind){case"list":let r=this.lists.get(t);return(!r||r[K]!==n)&&this.lists.set(t,r=new cr(t,n,this.check)),r;case"map":let o=this.maps.get(t);return(!o||o[K]!==n)&&this.maps.set(t,o=new ur(t,n,this.check)),o;case"message":return pr(t,n,this.check);case"scalar":return n===void 0?M(t.scalar,!1):mr(t,n);case"enum":return n??t.enum.values[0].number}}set(t,n){if(He(this.message,t),this.check){let o=te(t,n);if(o)throw o}let r;t.fieldKind=="message"?r=dr(t,n):Qe(n)||Xe(n)?r=n[K]:r=fr(t,n),Rt(this.message,t,r)}getUnknown(){return this.message.$unknown}setUnknown(t){this.message.$unknown=t}};function He(e,t){if(t.parent.typeName!==e.$typeName)throw new T(t,`cannot use ${t.toString()} with message ${e.$typeName}`,"ForeignFieldError")}var cr=class{field(){return this._field}get size(){return this._arr.length}constructor(t,n,r){this._field=t,this._arr=this[K]=n,this.check=r}get(t){let n=this._arr[t];return n===void 0?void 0:ir(this._field,n,this.check)}set(t,n){if(t<0||t>=this._arr.length)throw new T(this._field,`list item #${t+1}: out of range`);if(this.check){let r=nr(this._field,t,n);if(r)throw r}this._arr[t]=ds(this._field,n)}add(t){if(this.check){let n=nr(this._field,this._arr.length,t);if(n)throw n}this._arr.push(ds(this._field,t))}clear(){this._arr.splice(0,this._arr.length)}[Symbol.iterator](){return this.values()}keys(){return this._arr.keys()}*values(){for(let t of this._arr)yield ir(this._field,t,this.check)}*entries(){for(let t=0;t<this._arr.length;t++)yield[t,ir(this._field,this._arr[t],this.check)]}};var ur=class{constructor(t,n,r=!0){this.obj=this[K]=n??{},this.check=r,this._field=t}field(){return this._field}set(t,n){if(this.check){let r=ts(this._field,t,n);if(r)throw r}return this.obj[Gt(t)]=Kl(this._field,n),this}delete(t){let n=Gt(t),r=Object.prototype.hasOwnProperty.call(this.obj,n);return r&&delete this.obj[n],r}clear(){for(let t of Object.keys(this.obj))delete this.obj[t]}get(t){let n=this.obj[Gt(t)];return n!==void 0&&(n=lr(this._field,n,this.check)),n}has(t){return Object.prototype.hasOwnProperty.call(this.obj,Gt(t))}*keys(){for(let t of Object.keys(this.obj))yield ps(t,this._field.mapKey)}*entries(){for(let t of Object.entries(this.obj))yield[ps(t[0],this._field.mapKey),lr(this._field,t[1],this.check)]}[Symbol.iterator](){return this.entries()}get size(){return Object.keys(this.obj).length}*values(){for(let t of Object.values(this.obj))yield lr(this._field,t,this.check)}forEach(t,n){for(let r of this.entries())t.call(n,r[1],r[0],this)}};function dr(e,t){return ze(t)?as(t.message)&&!e.oneof&&e.fieldKind=="message"?t.message.value:t.desc.typeName=="google.protobuf.Struct"&&e.parent.typeName!="google.protobuf.Value"?fs(t.message):t.message:t}function pr(e,t,n){return t!==void 0&&(Q(e.message)&&!e.oneof&&e.fieldKind=="message"?t={$typeName:e.message.typeName,value:mr(e.message.fields[0],t)}:e.message.typeName=="google.protobuf.Struct"&&e.parent.typeName!="google.protobuf.Value"&&X(t)&&(t=ms(t))),new Ut(e.message,t,n)}function ds(e,t){return e.listKind=="message"?dr(e,t):fr(e,t)}function ir(e,t,n){return e.listKind=="message"?pr(e,t,n):mr(e,t)}function Kl(e,t){return e.mapKind=="message"?dr(e,t):fr(e,t)}function lr(e,t,n){return e.mapKind=="message"?pr(e,t,n):t}function Gt(e){return typeof e=="string"||typeof e=="number"?e:String(e)}function ps(e,t){switch(t){case u.STRING:return e;case u.INT32:case u.FIXED32:case u.UINT32:case u.SFIXED32:case u.SINT32:{let n=Number.parseInt(e);if(Number.isFinite(n))return n;break}case u.BOOL:switch(e){case"true":return!0;case"false":return!1}break;case u.UINT64:case u.FIXED64:try{return I.uParse(e)}catch{}break;default:try{return I.parse(e)}catch{}break}return e}function mr(e,t){switch(e.scalar){case u.INT64:case u.SFIXED64:case u.SINT64:"longAsString"in e&&e.longAsString&&typeof t=="string"&&(t=I.parse(t));break;case u.FIXED64:case u.UINT64:"longAsString"in e&&e.longAsString&&typeof t=="string"&&(t=I.uParse(t));break}return t}function fr(e,t){switch(e.scalar){case u.INT64:case u.SFIXED64:case u.SINT64:"longAsString"in e&&e.longAsString?t=String(t):(typeof t=="string"||typeof t=="number")&&(t=I.parse(t));break;case u.FIXED64:case u.UINT64:"longAsString"in e&&e.longAsString?t=String(t):(typeof t=="string"||typeof t=="number")&&(t=I.uParse(t));break}return t}function ms(e){let t={$typeName:"google.protobuf.Struct",fields:{}};if(X(e))for(let[n,r]of Object.entries(e))t.fields[n]=gs(r);return t}function fs(e){let t={};for(let[n,r]of Object.entries(e.fields))t[n]=hs(r);return t}function hs(e){switch(e.kind.case){case"structValue":return fs(e.kind.value);case"listValue":return e.kind.value.values.map(hs);case"nullValue":case void 0:return null;default:return e.kind.value}}function gs(e){let t={$typeName:"google.protobuf.Value",kind:{case:void 0}};switch(typeof e){case"number":t.kind={case:"numberValue",value:e};break;case"string":t.kind={case:"stringValue",value:e};break;case"boolean":t.kind={case:"boolValue",value:e};break;case"object":if(e===null)t.kind={case:"nullValue",value:0};else if(Array.isArray(e)){let n={$typeName:"google.protobuf.ListValue",values:[]};if(Array.isArray(e))for(let r of e)n.values.push(gs(r));t.kind={case:"listValue",value:n}}else t.kind={case:"structValue",value:ms(e)};break}return t}var Pl=3,bs={writeUnknownFields:!0};function Xl(e){return e?Object.assign(Object.assign({},bs),e):bs}function qe(e,t,n){return Vt(new ie,Xl(n),C(e,t)).finish()}function Vt(e,t,n){var r;for(let o of n.sortedFields){if(!n.isSet(o)){if(o.presence==Pl)throw new Error(`cannot encode ${o} to binary: required field not set`);continue}hr(e,t,n,o)}if(t.writeUnknownFields)for(let{no:o,wireType:s,data:a}of(r=n.getUnknown())!==null&&r!==void 0?r:[])e.tag(o,s).raw(a);return e}function hr(e,t,n,r){var o;switch(r.fieldKind){case"scalar":case"enum":Ot(e,n.desc.typeName,r.name,(o=r.scalar)!==null&&o!==void 0?o:u.INT32,r.number,n.get(r));break;case"list":Ql(e,t,r,n.get(r));break;case"message":ys(e,t,r,n.get(r));break;case"map":for(let[s,a]of n.get(r))zl(e,t,r,s,a);break}}function Ot(e,t,n,r,o,s){Es(e.tag(o,jl(r)),t,n,r,s)}function ys(e,t,n,r){n.delimitedEncoding?Vt(e.tag(n.number,N.StartGroup),t,r).tag(n.number,N.EndGroup):Vt(e.tag(n.number,N.LengthDelimited).fork(),t,r).join()}function Ql(e,t,n,r){var o;if(n.listKind=="message"){for(let a of r)ys(e,t,n,a);return}let s=(o=n.scalar)!==null&&o!==void 0?o:u.INT32;if(n.packed){if(!r.size)return;e.tag(n.number,N.LengthDelimited).fork();for(let a of r)Es(e,n.parent.typeName,n.name,s,a);e.join();return}for(let a of r)Ot(e,n.parent.typeName,n.name,s,n.number,a)}function zl(e,t,n,r,o){var s;switch(e.tag(n.number,N.LengthDelimited).fork(),Ot(e,n.parent.typeName,n.name,n.mapKey,1,r),n.mapKind){case"scalar":case"enum":Ot(e,n.parent.typeName,n.name,(s=n.scalar)!==null&&s!==void 0?s:u.INT32,2,o);break;case"message":Vt(e.tag(2,N.LengthDelimited).fork(),t,o).join();break}e.join()}function Es(e,t,n,r,o){try{switch(r){case u.STRING:e.string(o);break;case u.BOOL:e.bool(o);break;case u.DOUBLE:e.double(o);break;case u.FLOAT:e.float(o);break;case u.INT32:e.int32(o);break;case u.INT64:e.int64(o);break;case u.UINT64:e.uint64(o);break;case u.FIXED64:e.fixed64(o);break;case u.BYTES:e.bytes(o);break;case u.FIXED32:e.fixed32(o);break;case u.SFIXED32:e.sfixed32(o);break;case u.SFIXED64:e.sfixed64(o);break;case u.SINT64:e.sint64(o);break;case u.UINT32:e.uint32(o);break;case u.SINT32:e.sint32(o);break}}catch(s){throw s instanceof Error?new Error(`cannot encode field ${t}.${n} to binary: ${s.message}`):s}}function jl(e){switch(e){case u.BYTES:case u.STRING:return N.LengthDelimited;case u.DOUBLE:case u.FIXED64:case u.SFIXED64:return N.Bit64;case u.FIXED32:case u.SFIXED32:case u.FLOAT:return N.Bit32;default:return N.Varint}}function D(e,t,...n){return n.reduce((r,o)=>r.nestedMessages[o],e.messages[t])}var Hl=Xo({name:"google/protobuf/descriptor.proto",package:"google.protobuf",messageType:[{name:"FileDescriptorSet",field:[{name:"file",number:1,type:11,label:3,typeName:".google.protobuf.FileDescriptorProto"}],extensionRange:[{start:536e6,end:536000001}]},{name:"FileDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"package",number:2,type:9,label:1},{name:"dependency",number:3,type:9,label:3},{name:"public_dependency",number:10,type:5,label:3},{name:"weak_dependency",number:11,type:5,label:3},{name:"option_dependency",number:15,type:9,label:3},{name:"message_type",number:4,type:11,label:3,typeName:".google.protobuf.DescriptorProto"},{name:"enum_type",number:5,type:11,label:3,typeName:".google.protobuf.EnumDescriptorProto"},{name:"service",number:6,type:11,label:3,typeName:".google.protobuf.ServiceDescriptorProto"},{name:"extension",number:7,type:11,label:3,typeName:".google.protobuf.FieldDescriptorProto"},{name:"options",number:8,type:11,label:1,typeName:".google.protobuf.FileOptions"},{name:"source_code_info",number:9,type:11,label:1,typeName:".google.protobuf.SourceCodeInfo"},{name:"syntax",number:12,type:9,label:1},{name:"edition",number:14,type:14,label:1,typeName:".google.protobuf.Edition"}]},{name:"DescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"field",number:2,type:11,label:3,typeName:".google.protobuf.FieldDescriptorProto"},{name:"extension",number:6,type:11,label:3,typeName:".google.protobuf.FieldDescriptorProto"},{name:"nested_type",number:3,type:11,label:3,typeName:".google.protobuf.DescriptorProto"},{name:"enum_type",number:4,type:11,label:3,typeName:".google.protobuf.EnumDescriptorProto"},{name:"extension_range",number:5,type:11,label:3,typeName:".google.protobuf.DescriptorProto.ExtensionRange"},{name:"oneof_decl",number:8,type:11,label:3,typeName:".google.protobuf.OneofDescriptorProto"},{name:"options",number:7,type:11,label:1,typeName:".google.protobuf.MessageOptions"},{name:"reserved_range",number:9,type:11,label:3,typeName:".google.protobuf.DescriptorProto.ReservedRange"},{name:"reserved_name",number:10,type:9,label:3},{name:"visibility",number:11,type:14,label:1,typeName:".google.protobuf.SymbolVisibility"}],nestedType:[{name:"ExtensionRange",field:[{name:"start",number:1,type:5,label:1},{name:"end",number:2,type:5,label:1},{name:"options",number:3,type:11,label:1,typeName:".google.protobuf.ExtensionRangeOptions"}]},{name:"ReservedRange",field:[{name:"start",number:1,type:5,label:1},{name:"end",number:2,type:5,label:1}]}]},{name:"ExtensionRangeOptions",field:[{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"},{name:"declaration",number:2,type:11,label:3,typeName:".google.protobuf.ExtensionRangeOptions.Declaration",options:{retention:2}},{name:"features",number:50,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"verification",number:3,type:14,label:1,typeName:".google.protobuf.ExtensionRangeOptions.VerificationState",defaultValue:"UNVERIFIED",options:{retention:2}}],nestedType:[{name:"Declaration",field:[{name:"number",number:1,type:5,label:1},{name:"full_name",number:2,type:9,label:1},{name:"type",number:3,type:9,label:1},{name:"reserved",number:5,type:8,label:1},{name:"repeated",number:6,type:8,label:1}]}],enumType:[{name:"VerificationState",value:[{name:"DECLARATION",number:0},{name:"UNVERIFIED",number:1}]}],extensionRange:[{start:1e3,end:536870912}]},{name:"FieldDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"number",number:3,type:5,label:1},{name:"label",number:4,type:14,label:1,typeName:".google.protobuf.FieldDescriptorProto.Label"},{name:"type",number:5,type:14,label:1,typeName:".google.protobuf.FieldDescriptorProto.Type"},{name:"type_name",number:6,type:9,label:1},{name:"extendee",number:2,type:9,label:1},{name:"default_value",number:7,type:9,label:1},{name:"oneof_index",number:9,type:5,label:1},{name:"json_name",number:10,type:9,label:1},{name:"options",number:8,type:11,label:1,typeName:".google.protobuf.FieldOptions"},{name:"proto3_optional",number:17,type:8,label:1}],enumType:[{name:"Type",value:[{name:"TYPE_DOUBLE",number:1},{name:"TYPE_FLOAT",number:2},{name:"TYPE_INT64",number:3},{name:"TYPE_UINT64",number:4},{name:"TYPE_INT32",number:5},{name:"TYPE_FIXED64",number:6},{name:"TYPE_FIXED32",number:7},{name:"TYPE_BOOL",number:8},{name:"TYPE_STRING",number:9},{name:"TYPE_GROUP",number:10},{name:"TYPE_MESSAGE",number:11},{name:"TYPE_BYTES",number:12},{name:"TYPE_UINT32",number:13},{name:"TYPE_ENUM",number:14},{name:"TYPE_SFIXED32",number:15},{name:"TYPE_SFIXED64",number:16},{name:"TYPE_SINT32",number:17},{name:"TYPE_SINT64",number:18}]},{name:"Label",value:[{name:"LABEL_OPTIONAL",number:1},{name:"LABEL_REPEATED",number:3},{name:"LABEL_REQUIRED",number:2}]}]},{name:"OneofDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"options",number:2,type:11,label:1,typeName:".google.protobuf.OneofOptions"}]},{name:"EnumDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"value",number:2,type:11,label:3,typeName:".google.protobuf.EnumValueDescriptorProto"},{name:"options",number:3,type:11,label:1,typeName:".google.protobuf.EnumOptions"},{name:"reserved_range",number:4,type:11,label:3,typeName:".google.protobuf.EnumDescriptorProto.EnumReservedRange"},{name:"reserved_name",number:5,type:9,label:3},{name:"visibility",number:6,type:14,label:1,typeName:".google.protobuf.SymbolVisibility"}],nestedType:[{name:"EnumReservedRange",field:[{name:"start",number:1,type:5,label:1},{name:"end",number:2,type:5,label:1}]}]},{name:"EnumValueDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"number",number:2,type:5,label:1},{name:"options",number:3,type:11,label:1,typeName:".google.protobuf.EnumValueOptions"}]},{name:"ServiceDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"method",number:2,type:11,label:3,typeName:".google.protobuf.MethodDescriptorProto"},{name:"options",number:3,type:11,label:1,typeName:".google.protobuf.ServiceOptions"}]},{name:"MethodDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"input_type",number:2,type:9,label:1},{name:"output_type",number:3,type:9,label:1},{name:"options",number:4,type:11,label:1,typeName:".google.protobuf.MethodOptions"},{name:"client_streaming",number:5,type:8,label:1,defaultValue:"false"},{name:"server_streaming",number:6,type:8,label:1,defaultValue:"false"}]},{name:"FileOptions",field:[{name:"java_package",number:1,type:9,label:1},{name:"java_outer_classname",number:8,type:9,label:1},{name:"java_multiple_files",number:10,type:8,label:1,defaultValue:"false"},{name:"java_generate_equals_and_hash",number:20,type:8,label:1,options:{deprecated:!0}},{name:"java_string_check_utf8",number:27,type:8,label:1,defaultValue:"false"},{name:"optimize_for",number:9,type:14,label:1,typeName:".google.protobuf.FileOptions.OptimizeMode",defaultValue:"SPEED"},{name:"go_package",number:11,type:9,label:1},{name:"cc_generic_services",number:16,type:8,label:1,defaultValue:"false"},{name:"java_generic_services",number:17,type:8,label:1,defaultValue:"false"},{name:"py_generic_services",number:18,type:8,label:1,defaultValue:"false"},{name:"deprecated",number:23,type:8,label:1,defaultValue:"false"},{name:"cc_enable_arenas",number:31,type:8,label:1,defaultValue:"true"},{name:"objc_class_prefix",number:36,type:9,label:1},{name:"csharp_namespace",number:37,type:9,label:1},{name:"swift_prefix",number:39,type:9,label:1},{name:"php_class_prefix",number:40,type:9,label:1},{name:"php_namespace",number:41,type:9,label:1},{name:"php_metadata_namespace",number:44,type:9,label:1},{name:"ruby_package",number:45,type:9,label:1},{name:"features",number:50,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],enumType:[{name:"OptimizeMode",value:[{name:"SPEED",number:1},{name:"CODE_SIZE",number:2},{name:"LITE_RUNTIME",number:3}]}],extensionRange:[{start:1e3,end:536870912}]},{name:"MessageOptions",field:[{name:"message_set_wire_format",number:1,type:8,label:1,defaultValue:"false"},{name:"no_standard_descriptor_accessor",number:2,type:8,label:1,defaultValue:"false"},{name:"deprecated",number:3,type:8,label:1,defaultValue:"false"},{name:"map_entry",number:7,type:8,label:1},{name:"deprecated_legacy_json_field_conflicts",number:11,type:8,label:1,options:{deprecated:!0}},{name:"features",number:12,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],extensionRange:[{start:1e3,end:536870912}]},{name:"FieldOptions",field:[{name:"ctype",number:1,type:14,label:1,typeName:".google.protobuf.FieldOptions.CType",defaultValue:"STRING"},{name:"packed",number:2,type:8,label:1},{name:"jstype",number:6,type:14,label:1,typeName:".google.protobuf.FieldOptions.JSType",defaultValue:"JS_NORMAL"},{name:"lazy",number:5,type:8,label:1,defaultValue:"false"},{name:"unverified_lazy",number:15,type:8,label:1,defaultValue:"false"},{name:"deprecated",number:3,type:8,label:1,defaultValue:"false"},{name:"weak",number:10,type:8,label:1,defaultValue:"false"},{name:"debug_redact",number:16,type:8,label:1,defaultValue:"false"},{name:"retention",number:17,type:14,label:1,typeName:".google.protobuf.FieldOptions.OptionRetention"},{name:"targets",number:19,type:14,label:3,typeName:".google.protobuf.FieldOptions.OptionTargetType"},{name:"edition_defaults",number:20,type:11,label:3,typeName:".google.protobuf.FieldOptions.EditionDefault"},{name:"features",number:21,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"feature_support",number:22,type:11,label:1,typeName:".google.protobuf.FieldOptions.FeatureSupport"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],nestedType:[{name:"EditionDefault",field:[{name:"edition",number:3,type:14,label:1,typeName:".google.protobuf.Edition"},{name:"value",number:2,type:9,label:1}]},{name:"FeatureSupport",field:[{name:"edition_introduced",number:1,type:14,label:1,typeName:".google.protobuf.Edition"},{name:"edition_deprecated",number:2,type:14,label:1,typeName:".google.protobuf.Edition"},{name:"deprecation_warning",number:3,type:9,label:1},{name:"edition_removed",number:4,type:14,label:1,typeName:".google.protobuf.Edition"}]}],enumType:[{name:"CType",value:[{name:"STRING",number:0},{name:"CORD",number:1},{name:"STRING_PIECE",number:2}]},{name:"JSType",value:[{name:"JS_NORMAL",number:0},{name:"JS_STRING",number:1},{name:"JS_NUMBER",number:2}]},{name:"OptionRetention",value:[{name:"RETENTION_UNKNOWN",number:0},{name:"RETENTION_RUNTIME",number:1},{name:"RETENTION_SOURCE",number:2}]},{name:"OptionTargetType",value:[{name:"TARGET_TYPE_UNKNOWN",number:0},{name:"TARGET_TYPE_FILE",number:1},{name:"TARGET_TYPE_EXTENSION_RANGE",number:2},{name:"TARGET_TYPE_MESSAGE",number:3},{name:"TARGET_TYPE_FIELD",number:4},{name:"TARGET_TYPE_ONEOF",number:5},{name:"TARGET_TYPE_ENUM",number:6},{name:"TARGET_TYPE_ENUM_ENTRY",number:7},{name:"TARGET_TYPE_SERVICE",number:8},{name:"TARGET_TYPE_METHOD",number:9}]}],extensionRange:[{start:1e3,end:536870912}]},{name:"OneofOptions",field:[{name:"features",number:1,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],extensionRange:[{start:1e3,end:536870912}]},{name:"EnumOptions",field:[{name:"allow_alias",number:2,type:8,label:1},{name:"deprecated",number:3,type:8,label:1,defaultValue:"false"},{name:"deprecated_legacy_json_field_conflicts",number:6,type:8,label:1,options:{deprecated:!0}},{name:"features",number:7,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],extensionRange:[{start:1e3,end:536870912}]},{name:"EnumValueOptions",field:[{name:"deprecated",number:1,type:8,label:1,defaultValue:"false"},{name:"features",number:2,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"debug_redact",number:3,type:8,label:1,defaultValue:"false"},{name:"feature_support",number:4,type:11,label:1,typeName:".google.protobuf.FieldOptions.FeatureSupport"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],extensionRange:[{start:1e3,end:536870912}]},{name:"ServiceOptions",field:[{name:"features",number:34,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"deprecated",number:33,type:8,label:1,defaultValue:"false"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],extensionRange:[{start:1e3,end:536870912}]},{name:"MethodOptions",field:[{name:"deprecated",number:33,type:8,label:1,defaultValue:"false"},{name:"idempotency_level",number:34,type:14,label:1,typeName:".google.protobuf.MethodOptions.IdempotencyLevel",defaultValue:"IDEMPOTENCY_UNKNOWN"},{name:"features",number:35,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],enumType:[{name:"IdempotencyLevel",value:[{name:"IDEMPOTENCY_UNKNOWN",number:0},{name:"NO_SIDE_EFFECTS",number:1},{name:"IDEMPOTENT",number:2}]}],extensionRange:[{start:1e3,end:536870912}]},{name:"UninterpretedOption",field:[{name:"name",number:2,type:11,label:3,typeName:".google.protobuf.UninterpretedOption.NamePart"},{name:"identifier_value",number:3,type:9,label:1},{name:"positive_int_value",number:4,type:4,label:1},{name:"negative_int_value",number:5,type:3,label:1},{name:"double_value",number:6,type:1,label:1},{name:"string_value",number:7,type:12,label:1},{name:"aggregate_value",number:8,type:9,label:1}],nestedType:[{name:"NamePart",field:[{name:"name_part",number:1,type:9,label:2},{name:"is_extension",number:2,type:8,label:2}]}]},{name:"FeatureSet",field:[{name:"field_presence",number:1,type:14,label:1,typeName:".google.protobuf.FeatureSet.FieldPresence",options:{retention:1,targets:[4,1],editionDefaults:[{value:"EXPLICIT",edition:900},{value:"IMPLICIT",edition:999},{value:"EXPLICIT",edition:1e3}]}},{name:"enum_type",number:2,type:14,label:1,typeName:".google.protobuf.FeatureSet.EnumType",options:{retention:1,targets:[6,1],editionDefaults:[{value:"CLOSED",edition:900},{value:"OPEN",edition:999}]}},{name:"repeated_field_encoding",number:3,type:14,label:1,typeName:".google.protobuf.FeatureSet.RepeatedFieldEncoding",options:{retention:1,targets:[4,1],editionDefaults:[{value:"EXPANDED",edition:900},{value:"PACKED",edition:999}]}},{name:"utf8_validation",number:4,type:14,label:1,typeName:".google.protobuf.FeatureSet.Utf8Validation",options:{retention:1,targets:[4,1],editionDefaults:[{value:"NONE",edition:900},{value:"VERIFY",edition:999}]}},{name:"message_encoding",number:5,type:14,label:1,typeName:".google.protobuf.FeatureSet.MessageEncoding",options:{retention:1,targets:[4,1],editionDefaults:[{value:"LENGTH_PREFIXED",edition:900}]}},{name:"json_format",number:6,type:14,label:1,typeName:".google.protobuf.FeatureSet.JsonFormat",options:{retention:1,targets:[3,6,1],editionDefaults:[{value:"LEGACY_BEST_EFFORT",edition:900},{value:"ALLOW",edition:999}]}},{name:"enforce_naming_style",number:7,type:14,label:1,typeName:".google.protobuf.FeatureSet.EnforceNamingStyle",options:{retention:2,targets:[1,2,3,4,5,6,7,8,9],editionDefaults:[{value:"STYLE_LEGACY",edition:900},{value:"STYLE2024",edition:1001}]}},{name:"default_symbol_visibility",number:8,type:14,label:1,typeName:".google.protobuf.FeatureSet.VisibilityFeature.DefaultSymbolVisibility",options:{retention:2,targets:[1],editionDefaults:[{value:"EXPORT_ALL",edition:900},{value:"EXPORT_TOP_LEVEL",edition:1001}]}}],nestedType:[{name:"VisibilityFeature",enumType:[{name:"DefaultSymbolVisibility",value:[{name:"DEFAULT_SYMBOL_VISIBILITY_UNKNOWN",number:0},{name:"EXPORT_ALL",number:1},{name:"EXPORT_TOP_LEVEL",number:2},{name:"LOCAL_ALL",number:3},{name:"STRICT",number:4}]}]}],enumType:[{name:"FieldPresence",value:[{name:"FIELD_PRESENCE_UNKNOWN",number:0},{name:"EXPLICIT",number:1},{name:"IMPLICIT",number:2},{name:"LEGACY_REQUIRED",number:3}]},{name:"EnumType",value:[{name:"ENUM_TYPE_UNKNOWN",number:0},{name:"OPEN",number:1},{name:"CLOSED",number:2}]},{name:"RepeatedFieldEncoding",value:[{name:"REPEATED_FIELD_ENCODING_UNKNOWN",number:0},{name:"PACKED",number:1},{name:"EXPANDED",number:2}]},{name:"Utf8Validation",value:[{name:"UTF8_VALIDATION_UNKNOWN",number:0},{name:"VERIFY",number:2},{name:"NONE",number:3}]},{name:"MessageEncoding",value:[{name:"MESSAGE_ENCODING_UNKNOWN",number:0},{name:"LENGTH_PREFIXED",number:1},{name:"DELIMITED",number:2}]},{name:"JsonFormat",value:[{name:"JSON_FORMAT_UNKNOWN",number:0},{name:"ALLOW",number:1},{name:"LEGACY_BEST_EFFORT",number:2}]},{name:"EnforceNamingStyle",value:[{name:"ENFORCE_NAMING_STYLE_UNKNOWN",number:0},{name:"STYLE2024",number:1},{name:"STYLE_LEGACY",number:2}]}],extensionRange:[{start:1e3,end:9995},{start:9995,end:1e4},{start:1e4,end:10001}]},{name:"FeatureSetDefaults",field:[{name:"defaults",number:1,type:11,label:3,typeName:".google.protobuf.FeatureSetDefaults.FeatureSetEditionDefault"},{name:"minimum_edition",number:4,type:14,label:1,typeName:".google.protobuf.Edition"},{name:"maximum_edition",number:5,type:14,label:1,typeName:".google.protobuf.Edition"}],nestedType:[{name:"FeatureSetEditionDefault",field:[{name:"edition",number:3,type:14,label:1,typeName:".google.protobuf.Edition"},{name:"overridable_features",number:4,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"fixed_features",number:5,type:11,label:1,typeName:".google.protobuf.FeatureSet"}]}]},{name:"SourceCodeInfo",field:[{name:"location",number:1,type:11,label:3,typeName:".google.protobuf.SourceCodeInfo.Location"}],nestedType:[{name:"Location",field:[{name:"path",number:1,type:5,label:3,options:{packed:!0}},{name:"span",number:2,type:5,label:3,options:{packed:!0}},{name:"leading_comments",number:3,type:9,label:1},{name:"trailing_comments",number:4,type:9,label:1},{name:"leading_detached_comments",number:6,type:9,label:3}]}],extensionRange:[{start:536e6,end:536000001}]},{name:"GeneratedCodeInfo",field:[{name:"annotation",number:1,type:11,label:3,typeName:".google.protobuf.GeneratedCodeInfo.Annotation"}],nestedType:[{name:"Annotation",field:[{name:"path",number:1,type:5,label:3,options:{packed:!0}},{name:"source_file",number:2,type:9,label:1},{name:"begin",number:3,type:5,label:1},{name:"end",number:4,type:5,label:1},{name:"semantic",number:5,type:14,label:1,typeName:".google.protobuf.GeneratedCodeInfo.Annotation.Semantic"}],enumType:[{name:"Semantic",value:[{name:"NONE",number:0},{name:"SET",number:1},{name:"ALIAS",number:2}]}]}]}],enumType:[{name:"Edition",value:[{name:"EDITION_UNKNOWN",number:0},{name:"EDITION_LEGACY",number:900},{name:"EDITION_PROTO2",number:998},{name:"EDITION_PROTO3",number:999},{name:"EDITION_2023",number:1e3},{name:"EDITION_2024",number:1001},{name:"EDITION_1_TEST_ONLY",number:1},{name:"EDITION_2_TEST_ONLY",number:2},{name:"EDITION_99997_TEST_ONLY",number:99997},{name:"EDITION_99998_TEST_ONLY",number:99998},{name:"EDITION_99999_TEST_ONLY",number:99999},{name:"EDITION_MAX",number:2147483647}]},{name:"SymbolVisibility",value:[{name:"VISIBILITY_UNSET",number:0},{name:"VISIBILITY_LOCAL",number:1},{name:"VISIBILITY_EXPORT",number:2}]}]});var Ms=D(Hl,1);var Ss;(function(e){e[e.DECLARATION=0]="DECLARATION",e[e.UNVERIFIED=1]="UNVERIFIED"})(Ss||(Ss={}));var vs;(function(e){e[e.DOUBLE=1]="DOUBLE",e[e.FLOAT=2]="FLOAT",e[e.INT64=3]="INT64",e[e.UINT64=4]="UINT64",e[e.INT32=5]="INT32",e[e.FIXED64=6]="FIXED64",e[e.FIXED32=7]="FIXED32",e[e.BOOL=8]="BOOL",e[e.STRING=9]="STRING",e[e.GROUP=10]="GROUP",e[e.MESSAGE=11]="MESSAGE",e[e.BYTES=12]="BYTES",e[e.UINT32=13]="UINT32",e[e.ENUM=14]="ENUM",e[e.SFIXED32=15]="SFIXED32",e[e.SFIXED64=16]="SFIXED64",e[e.SINT32=17]="SINT32",e[e.SINT64=18]="SINT64"})(vs||(vs={}));var xs;(function(e){e[e.OPTIONAL=1]="OPTIONAL",e[e.REPEATED=3]="REPEATED",e[e.REQUIRED=2]="REQUIRED"})(xs||(xs={}));var Is;(function(e){e[e.SPEED=1]="SPEED",e[e.CODE_SIZE=2]="CODE_SIZE",e[e.LITE_RUNTIME=3]="LITE_RUNTIME"})(Is||(Is={}));var As;(function(e){e[e.STRING=0]="STRING",e[e.CORD=1]="CORD",e[e.STRING_PIECE=2]="STRING_PIECE"})(As||(As={}));var ws;(function(e){e[e.JS_NORMAL=0]="JS_NORMAL",e[e.JS_STRING=1]="JS_STRING",e[e.JS_NUMBER=2]="JS_NUMBER"})(ws||(ws={}));var Ns;(function(e){e[e.RETENTION_UNKNOWN=0]="RETENTION_UNKNOWN",e[e.RETENTION_RUNTIME=1]="RETENTION_RUNTIME",e[e.RETENTION_SOURCE=2]="RETENTION_SOURCE"})(Ns||(Ns={}));var Rs;(function(e){e[e.TARGET_TYPE_UNKNOWN=0]="TARGET_TYPE_UNKNOWN",e[e.TARGET_TYPE_FILE=1]="TARGET_TYPE_FILE",e[e.TARGET_TYPE_EXTENSION_RANGE=2]="TARGET_TYPE_EXTENSION_RANGE",e[e.TARGET_TYPE_MESSAGE=3]="TARGET_TYPE_MESSAGE",e[e.TARGET_TYPE_FIELD=4]="TARGET_TYPE_FIELD",e[e.TARGET_TYPE_ONEOF=5]="TARGET_TYPE_ONEOF",e[e.TARGET_TYPE_ENUM=6]="TARGET_TYPE_ENUM",e[e.TARGET_TYPE_ENUM_ENTRY=7]="TARGET_TYPE_ENUM_ENTRY",e[e.TARGET_TYPE_SERVICE=8]="TARGET_TYPE_SERVICE",e[e.TARGET_TYPE_METHOD=9]="TARGET_TYPE_METHOD"})(Rs||(Rs={}));var Bt;(function(e){e[e.IDEMPOTENCY_UNKNOWN=0]="IDEMPOTENCY_UNKNOWN",e[e.NO_SIDE_EFFECTS=1]="NO_SIDE_EFFECTS",e[e.IDEMPOTENT=2]="IDEMPOTENT"})(Bt||(Bt={}));var Ts;(function(e){e[e.DEFAULT_SYMBOL_VISIBILITY_UNKNOWN=0]="DEFAULT_SYMBOL_VISIBILITY_UNKNOWN",e[e.EXPORT_ALL=1]="EXPORT_ALL",e[e.EXPORT_TOP_LEVEL=2]="EXPORT_TOP_LEVEL",e[e.LOCAL_ALL=3]="LOCAL_ALL",e[e.STRICT=4]="STRICT"})(Ts||(Ts={}));var ks;(function(e){e[e.FIELD_PRESENCE_UNKNOWN=0]="FIELD_PRESENCE_UNKNOWN",e[e.EXPLICIT=1]="EXPLICIT",e[e.IMPLICIT=2]="IMPLICIT",e[e.LEGACY_REQUIRED=3]="LEGACY_REQUIRED"})(ks||(ks={}));var _s;(function(e){e[e.ENUM_TYPE_UNKNOWN=0]="ENUM_TYPE_UNKNOWN",e[e.OPEN=1]="OPEN",e[e.CLOSED=2]="CLOSED"})(_s||(_s={}));var $s;(function(e){e[e.REPEATED_FIELD_ENCODING_UNKNOWN=0]="REPEATED_FIELD_ENCODING_UNKNOWN",e[e.PACKED=1]="PACKED",e[e.EXPANDED=2]="EXPANDED"})($s||($s={}));var Cs;(function(e){e[e.UTF8_VALIDATION_UNKNOWN=0]="UTF8_VALIDATION_UNKNOWN",e[e.VERIFY=2]="VERIFY",e[e.NONE=3]="NONE"})(Cs||(Cs={}));var Ls;(function(e){e[e.MESSAGE_ENCODING_UNKNOWN=0]="MESSAGE_ENCODING_UNKNOWN",e[e.LENGTH_PREFIXED=1]="LENGTH_PREFIXED",e[e.DELIMITED=2]="DELIMITED"})(Ls||(Ls={}));var Gs;(function(e){e[e.JSON_FORMAT_UNKNOWN=0]="JSON_FORMAT_UNKNOWN",e[e.ALLOW=1]="ALLOW",e[e.LEGACY_BEST_EFFORT=2]="LEGACY_BEST_EFFORT"})(Gs||(Gs={}));var Us;(function(e){e[e.ENFORCE_NAMING_STYLE_UNKNOWN=0]="ENFORCE_NAMING_STYLE_UNKNOWN",e[e.STYLE2024=1]="STYLE2024",e[e.STYLE_LEGACY=2]="STYLE_LEGACY"})(Us||(Us={}));var Vs;(function(e){e[e.NONE=0]="NONE",e[e.SET=1]="SET",e[e.ALIAS=2]="ALIAS"})(Vs||(Vs={}));var Os;(function(e){e[e.EDITION_UNKNOWN=0]="EDITION_UNKNOWN",e[e.EDITION_LEGACY=900]="EDITION_LEGACY",e[e.EDITION_PROTO2=998]="EDITION_PROTO2",e[e.EDITION_PROTO3=999]="EDITION_PROTO3",e[e.EDITION_2023=1e3]="EDITION_2023",e[e.EDITION_2024=1001]="EDITION_2024",e[e.EDITION_1_TEST_ONLY=1]="EDITION_1_TEST_ONLY",e[e.EDITION_2_TEST_ONLY=2]="EDITION_2_TEST_ONLY",e[e.EDITION_99997_TEST_ONLY=99997]="EDITION_99997_TEST_ONLY",e[e.EDITION_99998_TEST_ONLY=99998]="EDITION_99998_TEST_ONLY",e[e.EDITION_99999_TEST_ONLY=99999]="EDITION_99999_TEST_ONLY",e[e.EDITION_MAX=2147483647]="EDITION_MAX"})(Os||(Os={}));var Bs;(function(e){e[e.VISIBILITY_UNSET=0]="VISIBILITY_UNSET",e[e.VISIBILITY_LOCAL=1]="VISIBILITY_LOCAL",e[e.VISIBILITY_EXPORT=2]="VISIBILITY_EXPORT"})(Bs||(Bs={}));var Ds={readUnknownFields:!0};function ql(e){return e?Object.assign(Object.assign({},Ds),e):Ds}function ne(e,t,n){let r=C(e,void 0,!1);return Fs(r,new Ee(t),ql(n),!1,t.byteLength),r.message}function Fs(e,t,n,r,o){var s;let a=r?t.len:t.pos+o,i,l,c=(s=e.getUnknown())!==null&&s!==void 0?s:[];for(;t.pos<a&&([i,l]=t.tag(),!(r&&l==N.EndGroup));){let m=e.findNumber(i);if(!m){let p=t.skip(l,i);n.readUnknownFields&&c.push({no:i,wireType:l,data:p});continue}gr(e,t,m,l,n)}if(r&&(l!=N.EndGroup||i!==o))throw new Error("invalid end group tag");c.length>0&&e.setUnknown(c)}function gr(e,t,n,r,o){var s;switch(n.fieldKind){case"scalar":e.set(n,Re(t,n.scalar));break;case"enum":let a=Re(t,u.INT32);if(n.enum.open)e.set(n,a);else if(n.enum.values.some(l=>l.number===a))e.set(n,a);else if(o.readUnknownFields){let l=new ie().int32(a).finish(),c=(s=e.getUnknown())!==null&&s!==void 0?s:[];c.push({no:n.number,wireType:r,data:l}),e.setUnknown(c)}break;case"message":e.set(n,br(t,o,n,e.get(n)));break;case"list":tc(t,r,e.get(n),o);break;case"map":ec(t,e.get(n),o);break}}function ec(e,t,n){let r=t.field(),o,s,a=e.uint32(),i=e.pos+a;for(;e.pos<i;){let[l]=e.tag();switch(l){case 1:o=Re(e,r.mapKey);break;case 2:switch(r.mapKind){case"scalar":s=Re(e,r.scalar);break;case"enum":s=e.int32();break;case"message":s=br(e,n,r);break}break}}if(o===void 0&&(o=M(r.mapKey,!1)),s===void 0)switch(r.mapKind){case"scalar":s=M(r.scalar,!1);break;case"enum":s=r.enum.values[0].number;break;case"message":s=C(r.message,void 0,!1);break}t.set(o,s)}function tc(e,t,n,r){var o;let s=n.field();if(s.listKind==="message"){n.add(br(e,r,s));return}let a=(o=s.scalar)!==null&&o!==void 0?o:u.INT32;if(!(t==N.LengthDelimited&&a!=u.STRING&&a!=u.BYTES)){n.add(Re(e,a));return}let l=e.uint32()+e.pos;for(;e.pos<l;)n.add(Re(e,a))}function br(e,t,n,r){let o=n.delimitedEncoding,s=r??C(n.message,void 0,!1);return Fs(s,e,t,o,o?n.number:e.uint32()),s}function Re(e,t){switch(t){case u.STRING:return e.string();case u.BOOL:return e.bool();case u.DOUBLE:return e.double();case u.FLOAT:return e.float();case u.INT32:return e.int32();case u.INT64:return e.int64();case u.UINT64:return e.uint64();case u.FIXED64:return e.fixed64();case u.BYTES:return e.bytes();case u.FIXED32:return e.fixed32();case u.SFIXED32:return e.sfixed32();case u.SFIXED64:return e.sfixed64();case u.SINT64:return e.sint64();case u.UINT32:return e.uint32();case u.SINT32:return e.sint32()}}function O(e,t){var n;let r=ne(Ms,Ne(e));return r.messageType.forEach(Ye),r.dependency=(n=t?.map(s=>s.proto.name))!==null&&n!==void 0?n:[],kt(r,s=>t?.find(a=>a.proto.name===s)).getFile(r.name)}function Js(e,t,...n){if(n.length>0)throw new Error;return e.services[t]}var Te=O("Ch9nb29nbGUvcHJvdG9idWYvdGltZXN0YW1wLnByb3RvEg9nb29nbGUucHJvdG9idWYiKwoJVGltZXN0YW1wEg8KB3NlY29uZHMYASABKAMSDQoFbmFub3MYAiABKAVChQEKE2NvbS5nb29nbGUucHJvdG9idWZCDlRpbWVzdGFtcFByb3RvUAFaMmdvb2dsZS5nb2xhbmcub3JnL3Byb3RvYnVmL3R5cGVzL2tub3duL3RpbWVzdGFtcHBi+AEBogIDR1BCqgIeR29vZ2xlLlByb3RvYnVmLldlbGxLbm93blR5cGVzYgZwcm90bzM");var yr=O("Chlnb29nbGUvcHJvdG9idWYvYW55LnByb3RvEg9nb29nbGUucHJvdG9idWYiJgoDQW55EhAKCHR5cGVfdXJsGAEgASgJEg0KBXZhbHVlGAIgASgMQnYKE2NvbS5nb29nbGUucHJvdG9idWZCCEFueVByb3RvUAFaLGdvb2dsZS5nb2xhbmcub3JnL3Byb3RvYnVmL3R5cGVzL2tub3duL2FueXBiogIDR1BCqgIeR29vZ2xlLlByb3RvYnVmLldlbGxLbm93blR5cGVzYgZwcm90bzM"),Ys=D(yr,0);function Zs(e,t,n){let r=!1;return n||(n=k(Ys),r=!0),n.value=qe(e,t),n.typeUrl=oc(t.$typeName),r?n:void 0}function rc(e,t){if(e.typeUrl==="")return!1;let n=typeof t=="string"?t:t.typeName,r=Ks(e.typeUrl);return n===r}function Ws(e,t){if(e.typeUrl==="")return;let n=t.kind=="message"?t:t.getMessage(Ks(e.typeUrl));if(!(!n||!rc(e,n)))return ne(n,e.value)}function oc(e){return`type.googleapis.com/${e}`}function Ks(e){let t=e.lastIndexOf("/"),n=t>=0?e.substring(t+1):e;if(!n.length)throw new Error(`invalid type url: ${e}`);return n}var Mt=O("Ch5nb29nbGUvcHJvdG9idWYvZHVyYXRpb24ucHJvdG8SD2dvb2dsZS5wcm90b2J1ZiIqCghEdXJhdGlvbhIPCgdzZWNvbmRzGAEgASgDEg0KBW5hbm9zGAIgASgFQoMBChNjb20uZ29vZ2xlLnByb3RvYnVmQg1EdXJhdGlvblByb3RvUAFaMWdvb2dsZS5nb2xhbmcub3JnL3Byb3RvYnVmL3R5cGVzL2tub3duL2R1cmF0aW9ucGL4AQGiAgNHUEKqAh5Hb29nbGUuUHJvdG9idWYuV2VsbEtub3duVHlwZXNiBnByb3RvMw");var re=O("Chxnb29nbGUvcHJvdG9idWYvc3RydWN0LnByb3RvEg9nb29nbGUucHJvdG9idWYihAEKBlN0cnVjdBIzCgZmaWVsZHMYASADKAsyIy5nb29nbGUucHJvdG9idWYuU3RydWN0LkZpZWxkc0VudHJ5GkUKC0ZpZWxkc0VudHJ5EgsKA2tleRgBIAEoCRIlCgV2YWx1ZRgCIAEoCzIWLmdvb2dsZS5wcm90b2J1Zi5WYWx1ZToCOAEi6gEKBVZhbHVlEjAKCm51bGxfdmFsdWUYASABKA4yGi5nb29nbGUucHJvdG9idWYuTnVsbFZhbHVlSAASFgoMbnVtYmVyX3ZhbHVlGAIgASgBSAASFgoMc3RyaW5nX3ZhbHVlGAMgASgJSAASFAoKYm9vbF92YWx1ZRgEIAEoCEgAEi8KDHN0cnVjdF92YWx1ZRgFIAEoCzIXLmdvb2dsZS5wcm90b2J1Zi5TdHJ1Y3RIABIwCgpsaXN0X3ZhbHVlGAYgASgLMhouZ29vZ2xlLnByb3RvYnVmLkxpc3RWYWx1ZUgAQgYKBGtpbmQiMwoJTGlzdFZhbHVlEiYKBnZhbHVlcxgBIAMoCzIWLmdvb2dsZS5wcm90b2J1Zi5WYWx1ZSobCglOdWxsVmFsdWUSDgoKTlVMTF9WQUxVRRAAQn8KE2NvbS5nb29nbGUucHJvdG9idWZCC1N0cnVjdFByb3RvUAFaL2dvb2dsZS5nb2xhbmcub3JnL3Byb3RvYnVmL3R5cGVzL2tub3duL3N0cnVjdHBi+AEBogIDR1BCqgIeR29vZ2xlLlByb3RvYnVmLldlbGxLbm93blR5cGVzYgZwcm90bzM"),Ps=D(re,0),Er=D(re,1),Xs=D(re,2),Dt;(function(e){e[e.NULL_VALUE=0]="NULL_VALUE"})(Dt||(Dt={}));var ke=O("ChVtaWxlcG9zdC92MS9qb2IucHJvdG8SC21pbGVwb3N0LnYxIpQLCgNKb2ISDgoGam9iX2lkGAEgASgJEgwKBGtpbmQYAiABKAkSDQoFb3duZXIYAyABKAkSLAoGbGFiZWxzGAQgAygLMhwubWlsZXBvc3QudjEuSm9iLkxhYmVsc0VudHJ5EhUKDXBhcmVudF9qb2JfaWQYBSABKAkSJAoFc3RhdGUYBiABKA4yFS5taWxlcG9zdC52MS5Kb2JTdGF0ZRIiCgZzdGFnZXMYByADKAsyEi5taWxlcG9zdC52MS5TdGFnZRIQCghmcmFjdGlvbhgIIAEoARIPCgdtZXNzYWdlGAkgASgJEiYKBWlucHV0GAogASgLMhcuZ29vZ2xlLnByb3RvYnVmLlN0cnVjdBInCgZyZXN1bHQYCyABKAsyFy5nb29nbGUucHJvdG9idWYuU3RydWN0EigKCWFydGlmYWN0cxgMIAMoCzIVLm1pbGVwb3N0LnYxLkFydGlmYWN0EiUKB2ZhaWx1cmUYDSABKAsyFC5taWxlcG9zdC52MS5GYWlsdXJlEi8KDGNhbmNlbGxhdGlvbhgOIAEoCzIZLm1pbGVwb3N0LnYxLkNhbmNlbGxhdGlvbhIPCgdhdHRlbXB0GA8gASgFEi4KDHJldHJ5X3BvbGljeRgQIAEoCzIYLm1pbGVwb3N0LnYxLlJldHJ5UG9saWN5EioKB3RpbWVvdXQYESABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SEAoId29ya2xvYWQYEiABKAESFQoNd29ya2xvYWRfdW5pdBgTIAEoCRInCghlc3RpbWF0ZRgUIAEoCzIVLm1pbGVwb3N0LnYxLkVzdGltYXRlEg0KBWVwb2NoGBUgASgJEhYKDmZpcnN0X3NlcXVlbmNlGBYgASgDEhUKDWxhc3Rfc2VxdWVuY2UYFyABKAMSLwoLc3VibWl0X3RpbWUYGCABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wEi4KCnN0YXJ0X3RpbWUYGSABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wEiwKCGVuZF90aW1lGBogASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcBIRCgl3b3JrZXJfaWQYGyABKAkSJwoIZGlzcGF0Y2gYHCABKA4yFS5taWxlcG9zdC52MS5EaXNwYXRjaBIXCg9mYWlsZWRfYXR0ZW1wdHMYHSABKAUSLgoKcmV0cnlfdGltZRgeIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5UaW1lc3RhbXASKQoJcmV0ZW50aW9uGB8gASgLMhYubWlsZXBvc3QudjEuUmV0ZW50aW9uEhgKEHRoaW5uZWRfc2VxdWVuY2UYICABKAMSEAoIcHJpb3JpdHkYISABKAUSFwoPY29uY3VycmVuY3lfa2V5GCIgASgJEhkKEWNvbmN1cnJlbmN5X2xpbWl0GCMgASgFEjEKDnN0YXJ0X2RlYWRsaW5lGCQgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uEjIKD2F0dGVtcHRfdGltZW91dBglIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhI0ChBmaXJzdF9zdGFydF90aW1lGCYgASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcBIXCg93b3JrZXJfaW5zdGFuY2UYJyABKAkSFgoOZnJhY3Rpb25fa25vd24YKCABKAgSGAoQcGxhbm5lZF9jaGlsZHJlbhgpIAEoBRIUCgxzdWJtaXR0ZWRfYnkYKiABKAkSEgoKaW5wdXRfc2l6ZRgrIAEoBRotCgtMYWJlbHNFbnRyeRILCgNrZXkYASABKAkSDQoFdmFsdWUYAiABKAk6AjgBIpcDCgVTdGFnZRIQCghzdGFnZV9pZBgBIAEoCRIXCg9wYXJlbnRfc3RhZ2VfaWQYAiABKAkSDQoFdGl0bGUYAyABKAkSEwoGd2VpZ2h0GAQgASgBSACIAQESJgoFc3RhdGUYBSABKA4yFy5taWxlcG9zdC52MS5TdGFnZVN0YXRlEg8KB2N1cnJlbnQYBiABKAESEgoFdG90YWwYByABKAFIAYgBARIMCgR1bml0GAggASgJEg8KB21lc3NhZ2UYCSABKAkSEAoIZnJhY3Rpb24YCiABKAESJQoHZmFpbHVyZRgLIAEoCzIULm1pbGVwb3N0LnYxLkZhaWx1cmUSLgoKc3RhcnRfdGltZRgMIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5UaW1lc3RhbXASLAoIZW5kX3RpbWUYDSABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wEg8KB3BsYW5uZWQYDiABKAgSFgoOZnJhY3Rpb25fa25vd24YDyABKAhCCQoHX3dlaWdodEIICgZfdG90YWwiSwoHRmFpbHVyZRIMCgRjb2RlGAEgASgJEg8KB21lc3NhZ2UYAiABKAkSDgoGZGV0YWlsGAMgASgJEhEKCXJldHJ5YWJsZRgEIAEoCCLaAQoMQ2FuY2VsbGF0aW9uEg4KBnJlYXNvbhgBIAEoCRIUCgxyZXF1ZXN0ZWRfYnkYAiABKAkSMAoMcmVxdWVzdF90aW1lGAMgASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcBIsCghkZWFkbGluZRgEIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5UaW1lc3RhbXASNAoQYWNrbm93bGVkZ2VfdGltZRgFIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5UaW1lc3RhbXASDgoGZm9yY2VkGAYgASgIIm8KCEFydGlmYWN0EgwKBG5hbWUYASABKAkSCwoDdXJpGAIgASgJEhIKCm1lZGlhX3R5cGUYAyABKAkSEgoKc2l6ZV9ieXRlcxgEIAEoAxIOCgZzaGEyNTYYBSABKAkSEAoIc3RhZ2VfaWQYBiABKAkitAEKC1JldHJ5UG9saWN5EhQKDG1heF9hdHRlbXB0cxgBIAEoBRIyCg9pbml0aWFsX2JhY2tvZmYYAiABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SLgoLbWF4X2JhY2tvZmYYAyABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SEgoKbXVsdGlwbGllchgEIAEoARIXCg9yZXRyeWFibGVfY29kZXMYBSADKAkifAoJUmV0ZW50aW9uEi4KC2tlZXBfZXZlbnRzGAEgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uEisKCGtlZXBfam9iGAIgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uEhIKCm1heF9ldmVudHMYAyABKAMi2QEKCEVzdGltYXRlEjAKDXJlbWFpbmluZ19wNTAYASABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SMAoNcmVtYWluaW5nX3A5MBgCIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhIpCgViYXNpcxgDIAEoDjIaLm1pbGVwb3N0LnYxLkVzdGltYXRlQmFzaXMSEwoLc2FtcGxlX3NpemUYBCABKAUSKQoFYXNfb2YYBSABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wKsgBCghKb2JTdGF0ZRIZChVKT0JfU1RBVEVfVU5TUEVDSUZJRUQQABIUChBKT0JfU1RBVEVfUVVFVUVEEAESFQoRSk9CX1NUQVRFX1JVTk5JTkcQAhIYChRKT0JfU1RBVEVfQ0FOQ0VMTElORxADEhcKE0pPQl9TVEFURV9TVUNDRUVERUQQBBIUChBKT0JfU1RBVEVfRkFJTEVEEAUSFwoTSk9CX1NUQVRFX0NBTkNFTExFRBAGEhIKDkpPQl9TVEFURV9MT1NUEAcqTwoIRGlzcGF0Y2gSGAoURElTUEFUQ0hfVU5TUEVDSUZJRUQQABISCg5ESVNQQVRDSF9RVUVVRRABEhUKEURJU1BBVENIX0VYVEVSTkFMEAIqwgEKClN0YWdlU3RhdGUSGwoXU1RBR0VfU1RBVEVfVU5TUEVDSUZJRUQQABIXChNTVEFHRV9TVEFURV9QRU5ESU5HEAESFwoTU1RBR0VfU1RBVEVfUlVOTklORxACEhkKFVNUQUdFX1NUQVRFX1NVQ0NFRURFRBADEhYKElNUQUdFX1NUQVRFX0ZBSUxFRBAEEhcKE1NUQUdFX1NUQVRFX1NLSVBQRUQQBRIZChVTVEFHRV9TVEFURV9DQU5DRUxMRUQQBiqBAQoNRXN0aW1hdGVCYXNpcxIeChpFU1RJTUFURV9CQVNJU19VTlNQRUNJRklFRBAAEhoKFkVTVElNQVRFX0JBU0lTX0hJU1RPUlkQARIbChdFU1RJTUFURV9CQVNJU19XT1JLTE9BRBACEhcKE0VTVElNQVRFX0JBU0lTX1BBQ0UQA2IGcHJvdG8z",[Mt,re,Te]),zs=D(ke,0),js=D(ke,1);var Hs=O("ChdtaWxlcG9zdC92MS9ldmVudC5wcm90bxILbWlsZXBvc3QudjEizgYKBUV2ZW50Eg4KBmpvYl9pZBgBIAEoCRIQCghzZXF1ZW5jZRgCIAEoAxIoCgR0aW1lGAMgASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcBIPCgdhdHRlbXB0GAQgASgFEjIKDWpvYl9zdWJtaXR0ZWQYBSABKAsyGS5taWxlcG9zdC52MS5Kb2JTdWJtaXR0ZWRIABIuCgtqb2Jfc3RhcnRlZBgGIAEoCzIXLm1pbGVwb3N0LnYxLkpvYlN0YXJ0ZWRIABI0Cg5zdGFnZXNfcGxhbm5lZBgHIAEoCzIaLm1pbGVwb3N0LnYxLlN0YWdlc1BsYW5uZWRIABIyCg1zdGFnZV9zdGFydGVkGAggASgLMhkubWlsZXBvc3QudjEuU3RhZ2VTdGFydGVkSAASOAoQc3RhZ2VfcHJvZ3Jlc3NlZBgJIAEoCzIcLm1pbGVwb3N0LnYxLlN0YWdlUHJvZ3Jlc3NlZEgAEi4KC3N0YWdlX2VuZGVkGAogASgLMhcubWlsZXBvc3QudjEuU3RhZ2VFbmRlZEgAEi4KC2xvZ193cml0dGVuGAsgASgLMhcubWlsZXBvc3QudjEuTG9nV3JpdHRlbkgAEjQKDmFydGlmYWN0X2FkZGVkGAwgASgLMhoubWlsZXBvc3QudjEuQXJ0aWZhY3RBZGRlZEgAEiUKBmN1c3RvbRgNIAEoCzITLm1pbGVwb3N0LnYxLkN1c3RvbUgAEjgKEGNhbmNlbF9yZXF1ZXN0ZWQYDiABKAsyHC5taWxlcG9zdC52MS5DYW5jZWxSZXF1ZXN0ZWRIABI+ChNjYW5jZWxfYWNrbm93bGVkZ2VkGA8gASgLMh8ubWlsZXBvc3QudjEuQ2FuY2VsQWNrbm93bGVkZ2VkSAASMgoNYXR0ZW1wdF9lbmRlZBgQIAEoCzIZLm1pbGVwb3N0LnYxLkF0dGVtcHRFbmRlZEgAEioKCWpvYl9lbmRlZBgRIAEoCzIVLm1pbGVwb3N0LnYxLkpvYkVuZGVkSAASPgoTY2hpbGRyZW5fcHJvZ3Jlc3NlZBgSIAEoCzIfLm1pbGVwb3N0LnYxLkNoaWxkcmVuUHJvZ3Jlc3NlZEgAQgkKB3BheWxvYWQiQQoMSm9iU3VibWl0dGVkEh0KA2pvYhgBIAEoCzIQLm1pbGVwb3N0LnYxLkpvYhISCgpyZXF1ZXN0X2lkGAIgASgJIjEKCkpvYlN0YXJ0ZWQSEQoJd29ya2VyX2lkGAEgASgJEhAKCGluc3RhbmNlGAIgASgJIk0KDVN0YWdlc1BsYW5uZWQSIgoGc3RhZ2VzGAEgAygLMhIubWlsZXBvc3QudjEuU3RhZ2USGAoQcGxhbm5lZF9jaGlsZHJlbhgCIAEoBSIxCgxTdGFnZVN0YXJ0ZWQSIQoFc3RhZ2UYASABKAsyEi5taWxlcG9zdC52MS5TdGFnZSKZAQoPU3RhZ2VQcm9ncmVzc2VkEhAKCHN0YWdlX2lkGAEgASgJEg8KB2N1cnJlbnQYAiABKAESEgoFdG90YWwYAyABKAFIAIgBARIMCgR1bml0GAQgASgJEg8KB21lc3NhZ2UYBSABKAkSEAoIZnJhY3Rpb24YBiABKAESFAoMam9iX2ZyYWN0aW9uGAcgASgBQggKBl90b3RhbCKUAQoKU3RhZ2VFbmRlZBIQCghzdGFnZV9pZBgBIAEoCRImCgVzdGF0ZRgCIAEoDjIXLm1pbGVwb3N0LnYxLlN0YWdlU3RhdGUSDwoHbWVzc2FnZRgDIAEoCRIlCgdmYWlsdXJlGAQgASgLMhQubWlsZXBvc3QudjEuRmFpbHVyZRIUCgxqb2JfZnJhY3Rpb24YBSABKAEifgoKTG9nV3JpdHRlbhIQCghzdGFnZV9pZBgBIAEoCRInCghzZXZlcml0eRgCIAEoDjIVLm1pbGVwb3N0LnYxLlNldmVyaXR5EgwKBHRleHQYAyABKAkSJwoGZmllbGRzGAQgASgLMhcuZ29vZ2xlLnByb3RvYnVmLlN0cnVjdCI4Cg1BcnRpZmFjdEFkZGVkEicKCGFydGlmYWN0GAEgASgLMhUubWlsZXBvc3QudjEuQXJ0aWZhY3QibgoGQ3VzdG9tEgwKBHR5cGUYASABKAkSJwoEanNvbhgCIAEoCzIXLmdvb2dsZS5wcm90b2J1Zi5TdHJ1Y3RIABIlCgVwcm90bxgDIAEoCzIULmdvb2dsZS5wcm90b2J1Zi5BbnlIAEIGCgRkYXRhIkIKD0NhbmNlbFJlcXVlc3RlZBIvCgxjYW5jZWxsYXRpb24YASABKAsyGS5taWxlcG9zdC52MS5DYW5jZWxsYXRpb24iFAoSQ2FuY2VsQWNrbm93bGVkZ2VkImUKDEF0dGVtcHRFbmRlZBIlCgdmYWlsdXJlGAEgASgLMhQubWlsZXBvc3QudjEuRmFpbHVyZRIuCgpyZXRyeV90aW1lGAIgASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcCKhAQoISm9iRW5kZWQSJAoFc3RhdGUYASABKA4yFS5taWxlcG9zdC52MS5Kb2JTdGF0ZRInCgZyZXN1bHQYAiABKAsyFy5nb29nbGUucHJvdG9idWYuU3RydWN0EiUKB2ZhaWx1cmUYAyABKAsyFC5taWxlcG9zdC52MS5GYWlsdXJlEg8KB21lc3NhZ2UYBCABKAkSDgoGZm9yY2VkGAUgASgIIkgKEkNoaWxkcmVuUHJvZ3Jlc3NlZBINCgV0b3RhbBgBIAEoBRINCgVlbmRlZBgCIAEoBRIUCgxqb2JfZnJhY3Rpb24YAyABKAEqdQoIU2V2ZXJpdHkSGAoUU0VWRVJJVFlfVU5TUEVDSUZJRUQQABISCg5TRVZFUklUWV9ERUJVRxABEhEKDVNFVkVSSVRZX0lORk8QAhIUChBTRVZFUklUWV9XQVJOSU5HEAMSEgoOU0VWRVJJVFlfRVJST1IQBGIGcHJvdG8z",[yr,re,Te,ke]);var sc=O("Ch1taWxlcG9zdC92MS9qb2Jfc2VydmljZS5wcm90bxILbWlsZXBvc3QudjEiwAUKEFN1Ym1pdEpvYlJlcXVlc3QSDgoGam9iX2lkGAEgASgJEhIKCnJlcXVlc3RfaWQYAiABKAkSDAoEa2luZBgDIAEoCRINCgVvd25lchgEIAEoCRI5CgZsYWJlbHMYBSADKAsyKS5taWxlcG9zdC52MS5TdWJtaXRKb2JSZXF1ZXN0LkxhYmVsc0VudHJ5EhUKDXBhcmVudF9qb2JfaWQYBiABKAkSJgoFaW5wdXQYByABKAsyFy5nb29nbGUucHJvdG9idWYuU3RydWN0EiIKBnN0YWdlcxgIIAMoCzISLm1pbGVwb3N0LnYxLlN0YWdlEhAKCHdvcmtsb2FkGAkgASgBEhUKDXdvcmtsb2FkX3VuaXQYCiABKAkSKgoHdGltZW91dBgLIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhIuCgxyZXRyeV9wb2xpY3kYDCABKAsyGC5taWxlcG9zdC52MS5SZXRyeVBvbGljeRInCghkaXNwYXRjaBgNIAEoDjIVLm1pbGVwb3N0LnYxLkRpc3BhdGNoEikKCXJldGVudGlvbhgOIAEoCzIWLm1pbGVwb3N0LnYxLlJldGVudGlvbhIQCghwcmlvcml0eRgPIAEoBRIXCg9jb25jdXJyZW5jeV9rZXkYECABKAkSGQoRY29uY3VycmVuY3lfbGltaXQYESABKAUSMQoOc3RhcnRfZGVhZGxpbmUYEiABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SMgoPYXR0ZW1wdF90aW1lb3V0GBMgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uEhgKEHBsYW5uZWRfY2hpbGRyZW4YFCABKAUaLQoLTGFiZWxzRW50cnkSCwoDa2V5GAEgASgJEg0KBXZhbHVlGAIgASgJOgI4ASIyChFTdWJtaXRKb2JSZXNwb25zZRIdCgNqb2IYASABKAsyEC5taWxlcG9zdC52MS5Kb2IiHwoNR2V0Sm9iUmVxdWVzdBIOCgZqb2JfaWQYASABKAkiVgoOR2V0Sm9iUmVzcG9uc2USHQoDam9iGAEgASgLMhAubWlsZXBvc3QudjEuSm9iEiUKB3dhaXRpbmcYAiABKAsyFC5taWxlcG9zdC52MS5XYWl0aW5nIl8KB1dhaXRpbmcSLAoLd2FpdGluZ19mb3IYASABKA4yFy5taWxlcG9zdC52MS5XYWl0aW5nRm9yEg8KB3dvcmtlcnMYAiABKAUSFQoNbmVhcmVzdF9raW5kcxgDIAMoCSLbAQoJSm9iRmlsdGVyEg0KBW93bmVyGAEgASgJEg0KBWtpbmRzGAIgAygJEjIKBmxhYmVscxgDIAMoCzIiLm1pbGVwb3N0LnYxLkpvYkZpbHRlci5MYWJlbHNFbnRyeRIVCg1wYXJlbnRfam9iX2lkGAQgASgJEg8KB2pvYl9pZHMYBSADKAkSJQoGc3RhdGVzGAYgAygOMhUubWlsZXBvc3QudjEuSm9iU3RhdGUaLQoLTGFiZWxzRW50cnkSCwoDa2V5GAEgASgJEg0KBXZhbHVlGAIgASgJOgI4ASJyCg9MaXN0Sm9ic1JlcXVlc3QSJgoGZmlsdGVyGAEgASgLMhYubWlsZXBvc3QudjEuSm9iRmlsdGVyEhEKCXBhZ2Vfc2l6ZRgCIAEoBRISCgpwYWdlX3Rva2VuGAMgASgJEhAKCG9yZGVyX2J5GAQgASgJIksKEExpc3RKb2JzUmVzcG9uc2USHgoEam9icxgBIAMoCzIQLm1pbGVwb3N0LnYxLkpvYhIXCg9uZXh0X3BhZ2VfdG9rZW4YAiABKAkidwoQQ2FuY2VsSm9iUmVxdWVzdBIOCgZqb2JfaWQYASABKAkSDgoGcmVhc29uGAIgASgJEhIKCnJlcXVlc3RfaWQYAyABKAkSLwoMZ3JhY2VfcGVyaW9kGAQgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uIjIKEUNhbmNlbEpvYlJlc3BvbnNlEh0KA2pvYhgBIAEoCzIQLm1pbGVwb3N0LnYxLkpvYiIiChBEZWxldGVKb2JSZXF1ZXN0Eg4KBmpvYl9pZBgBIAEoCSITChFEZWxldGVKb2JSZXNwb25zZSIyCgtFdmVudEZpbHRlchIQCghwYXlsb2FkcxgBIAMoCRIRCglzdGFnZV9pZHMYAiADKAki2wIKD1dhdGNoSm9iUmVxdWVzdBIOCgZqb2JfaWQYASABKAkSGAoOYWZ0ZXJfc2VxdWVuY2UYAiABKANIABIXCg1mcm9tX3NuYXBzaG90GAMgASgISAASFQoLZnJvbV9sYXRlc3QYBCABKAhIABINCgVlcG9jaBgFIAEoCRIiCgZvbl9nYXAYBiABKA4yEi5taWxlcG9zdC52MS5PbkdhcBIoCgZmaWx0ZXIYByABKAsyGC5taWxlcG9zdC52MS5FdmVudEZpbHRlchInCghkZWxpdmVyeRgIIAEoDjIVLm1pbGVwb3N0LnYxLkRlbGl2ZXJ5EhEKCW5vX2ZvbGxvdxgJIAEoCBIyCg9zdGF0dXNfaW50ZXJ2YWwYCiABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SGAoQbWF4X2JhdGNoX2V2ZW50cxgLIAEoBUIHCgVzdGFydCLnAQoQV2F0Y2hKb2JSZXNwb25zZRIlCgZvcGVuZWQYASABKAsyEy5taWxlcG9zdC52MS5PcGVuZWRIABIpCghzbmFwc2hvdBgCIAEoCzIVLm1pbGVwb3N0LnYxLlNuYXBzaG90SAASJQoGZXZlbnRzGAMgASgLMhMubWlsZXBvc3QudjEuRXZlbnRzSAASKgoJY2F1Z2h0X3VwGAQgASgLMhUubWlsZXBvc3QudjEuQ2F1Z2h0VXBIABIlCgZzdGF0dXMYBSABKAsyEy5taWxlcG9zdC52MS5TdGF0dXNIAEIHCgVmcmFtZSKhAQoGT3BlbmVkEg0KBWVwb2NoGAEgASgJEhYKDmZpcnN0X3NlcXVlbmNlGAIgASgDEhUKDWhlYWRfc2VxdWVuY2UYAyABKAMSDgoGY3Vyc29yGAQgASgDEi8KC3NlcnZlcl90aW1lGAUgASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcBIYChB0aGlubmVkX3NlcXVlbmNlGAYgASgDIjsKCFNuYXBzaG90Eh0KA2pvYhgBIAEoCzIQLm1pbGVwb3N0LnYxLkpvYhIQCghwb3NpdGlvbhgCIAEoAyI+CgZFdmVudHMSIgoGZXZlbnRzGAEgAygLMhIubWlsZXBvc3QudjEuRXZlbnQSEAoIcG9zaXRpb24YAiABKAMiHAoIQ2F1Z2h0VXASEAoIc2VxdWVuY2UYASABKAMi7gEKBlN0YXR1cxIOCgZjdXJzb3IYASABKAMSFQoNaGVhZF9zZXF1ZW5jZRgCIAEoAxIQCghmcmFjdGlvbhgDIAEoARInCghlc3RpbWF0ZRgEIAEoCzIVLm1pbGVwb3N0LnYxLkVzdGltYXRlEi8KC3NlcnZlcl90aW1lGAUgASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcBISCgpzdG9yZV9hd2F5GAYgASgIEiUKB3dhaXRpbmcYByABKAsyFC5taWxlcG9zdC52MS5XYWl0aW5nEhYKDmZyYWN0aW9uX2tub3duGAggASgIIvoCChBXYXRjaEpvYnNSZXF1ZXN0EiYKBmZpbHRlchgBIAEoCzIWLm1pbGVwb3N0LnYxLkpvYkZpbHRlchIYCg5hZnRlcl9wb3NpdGlvbhgCIAEoA0gAEhcKDWZyb21fc25hcHNob3QYAyABKAhIABIVCgtmcm9tX2xhdGVzdBgEIAEoCEgAEg0KBWVwb2NoGAUgASgJEiIKBm9uX2dhcBgGIAEoDjISLm1pbGVwb3N0LnYxLk9uR2FwEi4KDGV2ZW50X2ZpbHRlchgHIAEoCzIYLm1pbGVwb3N0LnYxLkV2ZW50RmlsdGVyEicKCGRlbGl2ZXJ5GAggASgOMhUubWlsZXBvc3QudjEuRGVsaXZlcnkSEQoJbm9fZm9sbG93GAkgASgIEjIKD3N0YXR1c19pbnRlcnZhbBgKIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhIYChBtYXhfYmF0Y2hfZXZlbnRzGAsgASgFQgcKBXN0YXJ0IroCChFXYXRjaEpvYnNSZXNwb25zZRIlCgZvcGVuZWQYASABKAsyEy5taWxlcG9zdC52MS5PcGVuZWRIABIpCghzbmFwc2hvdBgCIAEoCzIVLm1pbGVwb3N0LnYxLlNuYXBzaG90SAASJQoGZXZlbnRzGAMgASgLMhMubWlsZXBvc3QudjEuRXZlbnRzSAASKgoJY2F1Z2h0X3VwGAQgASgLMhUubWlsZXBvc3QudjEuQ2F1Z2h0VXBIABIlCgZzdGF0dXMYBSABKAsyEy5taWxlcG9zdC52MS5TdGF0dXNIABInCgdkZWxldGVkGAYgASgLMhQubWlsZXBvc3QudjEuRGVsZXRlZEgAEicKB3RyaW1tZWQYByABKAsyFC5taWxlcG9zdC52MS5UcmltbWVkSABCBwoFZnJhbWUiKwoHRGVsZXRlZBIOCgZqb2JfaWQYASABKAkSEAoIcG9zaXRpb24YAiABKAMiQwoHVHJpbW1lZBIOCgZqb2JfaWQYASABKAkSFgoOZmlyc3Rfc2VxdWVuY2UYAiABKAMSEAoIcG9zaXRpb24YAyABKAMiWQoPU2hhcmVKb2JSZXF1ZXN0Eg4KBmpvYl9pZBgBIAEoCRImCgN0dGwYAiABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SDgoGc2NvcGVzGAMgAygJIlIKEFNoYXJlSm9iUmVzcG9uc2USDQoFdG9rZW4YASABKAkSLwoLZXhwaXJlX3RpbWUYAiABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wIiUKE1Jldm9rZVNoYXJlc1JlcXVlc3QSDgoGam9iX2lkGAEgASgJIhYKFFJldm9rZVNoYXJlc1Jlc3BvbnNlIg8KDVdob0FtSVJlcXVlc3Qi6QEKDldob0FtSVJlc3BvbnNlEg8KB3N1YmplY3QYASABKAkSDgoGb3duZXJzGAIgAygJEhIKCmFsbF9vd25lcnMYAyABKAgSDgoGc2NvcGVzGAQgAygJEg0KBWtpbmRzGAUgAygJEg4KBmpvYl9pZBgGIAEoCRIvCgtleHBpcmVfdGltZRgHIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5UaW1lc3RhbXASFQoNY3JlZGVudGlhbF9pZBgIIAEoCRIrCgZsaW1pdHMYCSADKAsyGy5taWxlcG9zdC52MS5QcmluY2lwYWxMaW1pdCJMCg5QcmluY2lwYWxMaW1pdBIMCgRuYW1lGAEgASgJEg8KB21heGltdW0YAiABKAMSDAoEdXNlZBgDIAEoAxINCgVidXJzdBgEIAEoAyqJAQoKV2FpdGluZ0ZvchIbChdXQUlUSU5HX0ZPUl9VTlNQRUNJRklFRBAAEhQKEFdBSVRJTkdfRk9SX1RVUk4QARIWChJXQUlUSU5HX0ZPUl9XT1JLRVIQAhIZChVXQUlUSU5HX0ZPUl9SRUNPTk5FQ1QQAxIVChFXQUlUSU5HX0ZPUl9DTEFJTRAEKkUKBU9uR2FwEhYKEk9OX0dBUF9VTlNQRUNJRklFRBAAEg8KC09OX0dBUF9GQUlMEAESEwoPT05fR0FQX1NOQVBTSE9UEAIqSwoIRGVsaXZlcnkSGAoUREVMSVZFUllfVU5TUEVDSUZJRUQQABIQCgxERUxJVkVSWV9BTEwQARITCg9ERUxJVkVSWV9MQVRFU1QQAjL2BQoKSm9iU2VydmljZRJKCglTdWJtaXRKb2ISHS5taWxlcG9zdC52MS5TdWJtaXRKb2JSZXF1ZXN0Gh4ubWlsZXBvc3QudjEuU3VibWl0Sm9iUmVzcG9uc2USQQoGR2V0Sm9iEhoubWlsZXBvc3QudjEuR2V0Sm9iUmVxdWVzdBobLm1pbGVwb3N0LnYxLkdldEpvYlJlc3BvbnNlEkcKCExpc3RKb2JzEhwubWlsZXBvc3QudjEuTGlzdEpvYnNSZXF1ZXN0Gh0ubWlsZXBvc3QudjEuTGlzdEpvYnNSZXNwb25zZRJKCglDYW5jZWxKb2ISHS5taWxlcG9zdC52MS5DYW5jZWxKb2JSZXF1ZXN0Gh4ubWlsZXBvc3QudjEuQ2FuY2VsSm9iUmVzcG9uc2USSgoJRGVsZXRlSm9iEh0ubWlsZXBvc3QudjEuRGVsZXRlSm9iUmVxdWVzdBoeLm1pbGVwb3N0LnYxLkRlbGV0ZUpvYlJlc3BvbnNlEkkKCFdhdGNoSm9iEhwubWlsZXBvc3QudjEuV2F0Y2hKb2JSZXF1ZXN0Gh0ubWlsZXBvc3QudjEuV2F0Y2hKb2JSZXNwb25zZTABEkwKCVdhdGNoSm9icxIdLm1pbGVwb3N0LnYxLldhdGNoSm9ic1JlcXVlc3QaHi5taWxlcG9zdC52MS5XYXRjaEpvYnNSZXNwb25zZTABEkcKCFNoYXJlSm9iEhwubWlsZXBvc3QudjEuU2hhcmVKb2JSZXF1ZXN0Gh0ubWlsZXBvc3QudjEuU2hhcmVKb2JSZXNwb25zZRJTCgxSZXZva2VTaGFyZXMSIC5taWxlcG9zdC52MS5SZXZva2VTaGFyZXNSZXF1ZXN0GiEubWlsZXBvc3QudjEuUmV2b2tlU2hhcmVzUmVzcG9uc2USQQoGV2hvQW1JEhoubWlsZXBvc3QudjEuV2hvQW1JUmVxdWVzdBobLm1pbGVwb3N0LnYxLldob0FtSVJlc3BvbnNlYgZwcm90bzM",[Mt,re,Te,Hs,ke]);var qs=Js(sc,0);function E(e){return e&&Number(e.seconds)*1e3+e.nanos/1e6}function ea(e){return Number(e.seconds)+e.nanos/1e9}function w(e){let t=Math.max(Math.floor(e),0),n=Math.floor(t/3600),r=`${oe(Math.floor(t/60)%60)}:${oe(t%60)}`;return n?`${n}:${r}`:r}function le(e){return e<9.95?`${Math.max(e,0).toFixed(1)} s`:w(e)}function Y(e){let t=new Date(e);return`${oe(t.getHours())}:${oe(t.getMinutes())}:${oe(t.getSeconds())}`}function z(e){let t=new Date(e),n=-t.getTimezoneOffset(),r=`${t.getFullYear()}-${oe(t.getMonth()+1)}-${oe(t.getDate())}`,o=`${n<0?"\u2212":"+"}${oe(Math.floor(Math.abs(n)/60))}:${oe(Math.abs(n)%60)}`;return`${r} ${Y(e)}.${String(t.getMilliseconds()).padStart(3,"0")} ${o}`}function oe(e){return String(e).padStart(2,"0")}var ac=/[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|[\ud800-\udfff]/gu;function j(e){return e.replace(ac,t=>`\\x${t.codePointAt(0).toString(16).padStart(2,"0")}`)}function S(e,t=256){let n=j(e.slice(0,4*t)).replace(/\s+/g," ").trim();return n.length<=t?n:`${n.slice(0,t-1)}\u2026`}function et(e,t=13){if(e.length<=t)return e;let n=Math.floor((t-1)/2);return`${e.slice(0,t-1-n)}\u2026${e.slice(e.length-n)}`}function B(e){return String(e).replace(/\B(?=(\d{3})+(?!\d))/g,"\u2009")}function ce(e,t){return`${B(e)} ${t}${Number(e)===1?"":"s"}`}function na(e){let n=e%100>=11&&e%100<=13?"th":["th","st","nd","rd"][e%10]??"th";return`${B(e)}${n}`}function tt(e){return`${se(e)} %`}function se(e){return Math.floor(Math.min(Math.max(e,0),1)*100+1e-9)}var ta=["","k","M","G","T","P","E","Z","Y"];function xr(e){let{divisor:t,prefix:n}=oa(e);return`${vr(e,t)} ${n}B`}function ra(e,t,n){if(t===void 0&&e===0)return"";if(ic(n)){if(t===void 0)return xr(e);let{divisor:o,prefix:s}=oa(t);return`${vr(e,o)} of ${vr(t,o)} ${s}B`}return`${t===void 0?Sr(e):`${Sr(e)} of ${Sr(t)}`} ${S(n,32)}`.trim()}function ic(e){return["b","byte","bytes"].includes(e.toLowerCase())}function oa(e){let t=1,n=0;for(;e>=999.95*t&&n<ta.length-1;)t*=1e3,n+=1;return{divisor:t,prefix:ta[n]}}function vr(e,t){return t===1?e.toFixed(0):(e/t).toFixed(1)}function Sr(e){if(Math.abs(e)>=1e15)return e.toExponential(2);let[t,n]=(Number.isInteger(e)?String(e):e.toFixed(1)).split(".");return n===void 0?B(BigInt(t)):`${B(BigInt(t))}.${n}`}function Ir(e,t){let{state:n,error:r,retryAt:o,staleSince:s}=e,a=r?` (${S(r,120)})`:"",i=s===void 0?"":` \xB7 stale since ${Y(s)}`;switch(n){case"live":return e.restarted?{shape:"turned",text:"live \xB7 history restarted",stale:!1}:{shape:"full",text:"live",stale:!1};case"catching-up":return{shape:"half",text:`catching up${e.known?` ${B(e.arrived??0)} of ${B(e.known)}`:""}`,stale:!1};case"polling":return{shape:"half",text:`polling${a}`,stale:!1};case"reconnecting":{let l=o===void 0?0:Math.ceil((o-t)/1e3);return{shape:"empty",text:`reconnecting${l>0?` in ${l} s`:""}${a}${i}`,stale:!0}}case"hidden":return{shape:"empty",text:`paused while hidden${i}`,stale:!0};case"ended":return{shape:"done",text:"complete",stale:!1};case"refused":return{shape:"cross",text:`refused${a}`,stale:!0};case"missing":return{shape:"cross",text:"not found",stale:!0};case"connecting":return{shape:"empty",text:"connecting",stale:!1}}}function sa(e,t){return!Ir(e,t).stale||e.staleSince===void 0?"":`No connection: this is what was known at ${Y(e.staleSince)}. It may have changed since.`}function aa(e){let t=E(e.endTime),n=E(e.startTime),r=t===void 0||n===void 0?void 0:(t-n)/1e3,o=r===void 0?"":` after ${w(r)}`;switch(e.state){case 4:return{headline:`succeeded${r===void 0?"":` in ${le(r)}`}`,next:e.artifacts.length?"Its artifacts and its result are below.":"Its result is below."};case 5:return{headline:Ar(e)||`failed${o}`,next:lc(e)};case 6:return{headline:`cancelled${o}${e.cancellation?.forced?", by force":""}`,next:"Nothing is left to stop. Submit it again to run it."};case 7:return{headline:`lost${o}: worker ${S(e.workerId,128)||"of unknown name"} was silent for longer than its lease`,next:"Look at that worker's own log. Submit the job again, or allow it more attempts."};default:return}}function Ar(e){let t=e.failure;return t?S(t.message,1e3)||t.code:""}function lc(e){switch(e.failure?.code){case"TIMEOUT":case"ATTEMPT_TIMEOUT":return"It took longer than it may. Give it more time, or less to do.";case"START_DEADLINE":return"No worker started it in time. Start a worker of its kind, or give it longer to wait."}return e.failure?.retryable?"Another attempt may succeed. Submit it again, or allow it more attempts.":"The last lines of its log say more. Submit it again once the cause is gone."}var cc={1:{word:"queued",shape:"waiting"},2:{word:"running",shape:"running"},3:{word:"cancelling",shape:"stopping"},4:{word:"succeeded",shape:"succeeded"},5:{word:"failed",shape:"failed"},6:{word:"cancelled",shape:"cancelled"},7:{word:"lost",shape:"lost"}},uc={1:{word:"waiting",shape:"waiting"},2:{word:"running",shape:"running"},3:{word:"done",shape:"succeeded"},4:{word:"failed",shape:"failed"},5:{word:"skipped",shape:"skipped"},6:{word:"cancelled",shape:"cancelled"}},dc={1:"debug",3:"warning",4:"error"};function L(e){return cc[e]??{word:e===0?"unknown":`state ${e}`,shape:"waiting"}}function nt(e){return uc[e]??{word:`state ${e}`,shape:"waiting"}}function Ft(e){return dc[e]??"info"}function _(e){return[4,5,6,7].includes(e.state)}function wr(e){return e.state===2||e.state===3}function Se(e){return e.fractionKnown||e.state===1&&e.attempt===0}function Nr(e){return{state:e.state,attempt:e.attempt,quarter:Se(e)?Math.floor(se(e.fraction)/25):0,ended:new Set(e.stages.filter(pc).map(t=>t.stageId))}}function ia(e,t){let n=Nr(t),r=S(t.kind,64);if(n.state!==e.state||n.attempt!==e.attempt){let a=n.state===5||n.state===7?`: ${Ar(t)}`:"",i=n.state===2&&n.attempt>1?`, attempt ${n.attempt}`:"";return`${r} ${L(t.state).word}${i}${a}`}let o=t.stages.filter(a=>n.ended.has(a.stageId)&&!e.ended.has(a.stageId));if(o.length>1)return`${o.length} stages of ${r} have ended`;let s=o[0];return s?`stage ${S(s.title||s.stageId,80)} ${nt(s.state).word}`:n.quarter>e.quarter?`${r} ${n.quarter*25} %`:""}function pc(e){return!e.parentStageId&&e.state!==1&&e.state!==2}var _e=class{#e={fraction:0,seconds:0};#t;#n=0;update(t,n,r){let o=Math.min(Math.max(t,0),1);return n!==this.#t?(this.#t=n,this.#r(o,0,r)):o>this.#e.fraction&&this.#r(o,Math.min(Math.max((r-this.#n)/1e3,.15),1.5),r),this.#e}#r(t,n,r){this.#e={fraction:t,seconds:n},this.#n=r}};var v;(function(e){e[e.Canceled=1]="Canceled",e[e.Unknown=2]="Unknown",e[e.InvalidArgument=3]="InvalidArgument",e[e.DeadlineExceeded=4]="DeadlineExceeded",e[e.NotFound=5]="NotFound",e[e.AlreadyExists=6]="AlreadyExists",e[e.PermissionDenied=7]="PermissionDenied",e[e.ResourceExhausted=8]="ResourceExhausted",e[e.FailedPrecondition=9]="FailedPrecondition",e[e.Aborted=10]="Aborted",e[e.OutOfRange=11]="OutOfRange",e[e.Unimplemented=12]="Unimplemented",e[e.Internal=13]="Internal",e[e.Unavailable=14]="Unavailable",e[e.DataLoss=15]="DataLoss",e[e.Unauthenticated=16]="Unauthenticated"})(v||(v={}));function la(e,t){ua(t,e);let n=mc(e.$unknown,t),[r,o,s]=$e(t);for(let a of n)gr(r,new Ee(a.data),o,a.wireType,{readUnknownFields:!0});return s()}function ca(e,t,n){var r;ua(t,e);let o=((r=e.$unknown)!==null&&r!==void 0?r:[]).filter(c=>c.no!==t.number),[s,a]=$e(t,n),i=new ie;hr(i,{writeUnknownFields:!0},s,a);let l=new Ee(i.finish());for(;l.pos<l.len;){let[c,m]=l.tag(),p=l.skip(m,c);o.push({no:c,wireType:m,data:p})}e.$unknown=o}function mc(e,t){if(e===void 0)return[];if(t.fieldKind==="enum"||t.fieldKind==="scalar"){for(let n=e.length-1;n>=0;--n)if(e[n].no==t.number)return[e[n]];return[]}return e.filter(n=>n.no===t.number)}function $e(e,t){let n=e.typeName,r=Object.assign(Object.assign({},e),{kind:"field",parent:e.extendee,localName:n}),o=Object.assign(Object.assign({},e.extendee),{fields:[r],members:[r],oneofs:[]}),s=k(o,t!==void 0?{[n]:t}:void 0);return[C(o,s),r,()=>{let a=s[n];if(a===void 0){let i=e.message;return Q(i)?M(i.fields[0].scalar,i.fields[0].longAsString):k(i)}return a}]}function ua(e,t){if(e.extendee.typeName!=t.$typeName)throw new Error(`extension ${e.typeName} can only be applied to message ${e.extendee.typeName}`)}var fc=3,hc=2,da={alwaysEmitImplicit:!1,enumAsInteger:!1,useProtoFieldName:!1};function gc(e){return e?Object.assign(Object.assign({},da),e):da}function Rr(e,t,n){return rt(C(e,t),gc(n))}function ma(e,t,n){var r;let o=Rr(e,t,n);return JSON.stringify(o,null,(r=n?.prettySpaces)!==null&&r!==void 0?r:0)}function rt(e,t){var n;let r=Sc(e,t);if(r!==void 0)return r;let o={};for(let s of e.sortedFields){if(!e.isSet(s)){if(s.presence==fc)throw new Error(`cannot encode ${s} to JSON: required field not set`);if(!t.alwaysEmitImplicit||s.presence!==hc)continue}let a=pa(s,e.get(s),t);a!==void 0&&(o[Ec(s,t)]=a)}if(t.registry){let s=new Set;for(let{no:a}of(n=e.getUnknown())!==null&&n!==void 0?n:[])if(!s.has(a)){s.add(a);let i=t.registry.getExtensionFor(e.desc,a);if(!i)continue;let l=la(e.message,i),[c,m]=$e(i,l),p=pa(m,c.get(m),t);p!==void 0&&(o[i.jsonName]=p)}}return o}function pa(e,t,n){switch(e.fieldKind){case"scalar":return Jt(e,t);case"message":return rt(t,n);case"enum":return Tr(e.enum,t,n.enumAsInteger);case"list":return yc(t,n);case"map":return bc(t,n)}}function bc(e,t){let n=e.field(),r={};switch(n.mapKind){case"scalar":for(let[o,s]of e)r[o]=Jt(n,s);break;case"message":for(let[o,s]of e)r[o]=rt(s,t);break;case"enum":for(let[o,s]of e)r[o]=Tr(n.enum,s,t.enumAsInteger);break}return t.alwaysEmitImplicit||e.size>0?r:void 0}function yc(e,t){let n=e.field(),r=[];switch(n.listKind){case"scalar":for(let o of e)r.push(Jt(n,o));break;case"enum":for(let o of e)r.push(Tr(n.enum,o,t.enumAsInteger));break;case"message":for(let o of e)r.push(rt(o,t));break}return t.alwaysEmitImplicit||r.length>0?r:void 0}function Tr(e,t,n){var r;if(typeof t!="number")throw new Error(`cannot encode ${e} to JSON: expected number, got ${R(t)}`);if(e.typeName=="google.protobuf.NullValue")return null;if(n)return t;let o=e.value[t];return(r=o?.name)!==null&&r!==void 0?r:t}function Jt(e,t){var n,r,o,s,a,i;switch(e.scalar){case u.INT32:case u.SFIXED32:case u.SINT32:case u.FIXED32:case u.UINT32:if(typeof t!="number")throw new Error(`cannot encode ${e} to JSON: ${(n=te(e,t))===null||n===void 0?void 0:n.message}`);return t;case u.FLOAT:case u.DOUBLE:if(typeof t!="number")throw new Error(`cannot encode ${e} to JSON: ${(r=te(e,t))===null||r===void 0?void 0:r.message}`);return Number.isNaN(t)?"NaN":t===Number.POSITIVE_INFINITY?"Infinity":t===Number.NEGATIVE_INFINITY?"-Infinity":t;case u.STRING:if(typeof t!="string")throw new Error(`cannot encode ${e} to JSON: ${(o=te(e,t))===null||o===void 0?void 0:o.message}`);return t;case u.BOOL:if(typeof t!="boolean")throw new Error(`cannot encode ${e} to JSON: ${(s=te(e,t))===null||s===void 0?void 0:s.message}`);return t;case u.UINT64:case u.FIXED64:case u.INT64:case u.SFIXED64:case u.SINT64:if(typeof t!="bigint"&&typeof t!="string")throw new Error(`cannot encode ${e} to JSON: ${(a=te(e,t))===null||a===void 0?void 0:a.message}`);return t.toString();case u.BYTES:if(t instanceof Uint8Array)return Ke(t);throw new Error(`cannot encode ${e} to JSON: ${(i=te(e,t))===null||i===void 0?void 0:i.message}`)}}function Ec(e,t){return t.useProtoFieldName?e.name:e.jsonName}function Sc(e,t){if(e.desc.typeName.startsWith("google.protobuf."))switch(e.desc.typeName){case"google.protobuf.Any":return vc(e.message,t);case"google.protobuf.Timestamp":return Ac(e.message);case"google.protobuf.Duration":return xc(e.message);case"google.protobuf.FieldMask":return Ic(e.message);case"google.protobuf.Struct":return fa(e.message);case"google.protobuf.Value":return kr(e.message);case"google.protobuf.ListValue":return ha(e.message);default:if(Q(e.desc)){let n=e.desc.fields[0];return Jt(n,e.get(n))}return}}function vc(e,t){if(e.typeUrl==="")return{};let{registry:n}=t,r,o;if(n&&(r=Ws(e,n),r&&(o=n.getMessage(r.$typeName))),!o||!r)throw new Error(`cannot encode message ${e.$typeName} to JSON: "${e.typeUrl}" is not in the type registry`);let s=rt(C(o,r),t);return(o.typeName.startsWith("google.protobuf.")||s===null||Array.isArray(s)||typeof s!="object")&&(s={value:s}),s["@type"]=e.typeUrl,s}function xc(e){if(Number(e.seconds)>315576e6||Number(e.seconds)<-315576e6)throw new Error(`cannot encode message ${e.$typeName} to JSON: value out of range`);let t=e.seconds.toString();if(e.nanos!==0){let n=Math.abs(e.nanos).toString();n="0".repeat(9-n.length)+n,n.substring(3)==="000000"?n=n.substring(0,3):n.substring(6)==="000"&&(n=n.substring(0,6)),t+="."+n,e.nanos<0&&Number(e.seconds)==0&&(t="-"+t)}return t+"s"}function Ic(e){return e.paths.map(t=>{if(t.match(/_[0-9]?_/g)||t.match(/[A-Z]/g))throw new Error(`cannot encode message ${e.$typeName} to JSON: lowerCamelCase of path name "`+t+'" is irreversible');return ae(t)}).join(",")}function fa(e){let t={};for(let[n,r]of Object.entries(e.fields))t[n]=kr(r);return t}function kr(e){switch(e.kind.case){case"nullValue":return null;case"numberValue":if(!Number.isFinite(e.kind.value))throw new Error(`${e.$typeName} cannot be NaN or Infinity`);return e.kind.value;case"boolValue":return e.kind.value;case"stringValue":return e.kind.value;case"structValue":return fa(e.kind.value);case"listValue":return ha(e.kind.value);default:throw new Error(`${e.$typeName} must have a value`)}}function ha(e){return e.values.map(kr)}function Ac(e){let t=Number(e.seconds)*1e3;if(t<Date.parse("0001-01-01T00:00:00Z")||t>Date.parse("9999-12-31T23:59:59Z"))throw new Error(`cannot encode message ${e.$typeName} to JSON: must be from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z inclusive`);if(e.nanos<0)throw new Error(`cannot encode message ${e.$typeName} to JSON: nanos must not be negative`);let n="Z";if(e.nanos>0){let r=(e.nanos+1e9).toString().substring(1);r.substring(3)==="000000"?n="."+r.substring(0,3)+"Z":r.substring(6)==="000"?n="."+r.substring(0,6)+"Z":n="."+r+"Z"}return new Date(t).toISOString().replace(".000Z",n)}var ga={ignoreUnknownFields:!1};function wc(e){return e?Object.assign(Object.assign({},ga),e):ga}function ya(e,t,n){return _r(e,Cc(t,e.typeName),n)}function _r(e,t,n){let r=C(e);try{Ce(r,t,wc(n))}catch(o){throw qo(o)?new Error(`cannot decode ${o.field()} from JSON: ${o.message}`,{cause:o}):o}return r.message}function Ce(e,t,n){var r;if(Lc(e,t,n))return;if(t==null||Array.isArray(t)||typeof t!="object")throw new Error(`cannot decode ${e.desc} from JSON: ${R(t)}`);let o=new Map,s=new Map;for(let a of e.desc.fields)s.set(a.name,a).set(a.jsonName,a);for(let[a,i]of Object.entries(t)){let l=s.get(a);if(l){if(l.oneof){if(i===null&&l.fieldKind=="scalar")continue;let c=o.get(l.oneof);if(c!==void 0)throw new T(l.oneof,`oneof set multiple times by ${c.name} and ${l.name}`);o.set(l.oneof,l)}ba(e,l,i,n)}else{let c;if(a.startsWith("[")&&a.endsWith("]")&&(c=(r=n.registry)===null||r===void 0?void 0:r.getExtension(a.substring(1,a.length-1)))&&c.extendee.typeName===e.desc.typeName){let[m,p,g]=$e(c);ba(m,p,i,n),ca(e.message,c,g())}if(!c&&!n.ignoreUnknownFields)throw new Error(`cannot decode ${e.desc} from JSON: key "${a}" is unknown`)}}}function ba(e,t,n,r){switch(t.fieldKind){case"scalar":_c(e,t,n);break;case"enum":kc(e,t,n,r);break;case"message":Tc(e,t,n,r);break;case"list":Rc(e.get(t),n,r);break;case"map":Nc(e.get(t),n,r);break}}function Nc(e,t,n){if(t===null)return;let r=e.field();if(typeof t!="object"||Array.isArray(t))throw new T(r,"expected object, got "+R(t));for(let[o,s]of Object.entries(t)){if(s===null)throw new T(r,"map value must not be null");let a;switch(r.mapKind){case"message":let l=C(r.message);Ce(l,s,n),a=l;break;case"enum":if(a=$r(r.enum,s,n.ignoreUnknownFields,!0),a===Yt)return;break;case"scalar":a=Wt(r,s,!0);break}let i=$c(r.mapKey,o);e.set(i,a)}}function Rc(e,t,n){if(t===null)return;let r=e.field();if(!Array.isArray(t))throw new T(r,"expected Array, got "+R(t));for(let o of t){if(o===null)throw new T(r,"list item must not be null");switch(r.listKind){case"message":let s=C(r.message);Ce(s,o,n),e.add(s);break;case"enum":let a=$r(r.enum,o,n.ignoreUnknownFields,!0);a!==Yt&&e.add(a);break;case"scalar":e.add(Wt(r,o,!0));break}}}function Tc(e,t,n,r){if(n===null&&t.message.typeName!="google.protobuf.Value"){e.clear(t);return}let o=e.isSet(t)?e.get(t):C(t.message);Ce(o,n,r),e.set(t,o)}function kc(e,t,n,r){let o=$r(t.enum,n,r.ignoreUnknownFields,!1);o===Zt?e.clear(t):o!==Yt&&e.set(t,o)}function _c(e,t,n){let r=Wt(t,n,!1);r===Zt?e.clear(t):e.set(t,r)}var Yt=Symbol();function $r(e,t,n,r){if(t===null)return e.typeName=="google.protobuf.NullValue"?0:r?e.values[0].number:Zt;switch(typeof t){case"number":if(Number.isInteger(t))return t;break;case"string":let o=e.values.find(s=>s.name===t);if(o!==void 0)return o.number;if(n)return Yt;break}throw new Error(`cannot decode ${e} from JSON: ${R(t)}`)}var Zt=Symbol();function Wt(e,t,n){if(t===null)return n?M(e.scalar,!1):Zt;switch(e.scalar){case u.DOUBLE:case u.FLOAT:if(t==="NaN")return NaN;if(t==="Infinity")return Number.POSITIVE_INFINITY;if(t==="-Infinity")return Number.NEGATIVE_INFINITY;if(typeof t=="number"){if(Number.isNaN(t))throw new T(e,"unexpected NaN number");if(!Number.isFinite(t))throw new T(e,"unexpected infinite number");break}if(typeof t=="string"){if(t===""||t.trim().length!==t.length)break;let r=Number(t);if(!Number.isFinite(r))break;return r}break;case u.INT32:case u.FIXED32:case u.SFIXED32:case u.SINT32:case u.UINT32:return Ea(t);case u.BYTES:if(typeof t=="string"){if(t==="")return new Uint8Array(0);try{return Ne(t)}catch(r){let o=r instanceof Error?r.message:String(r);throw new T(e,o)}}break}return t}function $c(e,t){switch(e){case u.BOOL:switch(t){case"true":return!0;case"false":return!1}return t;case u.INT32:case u.FIXED32:case u.UINT32:case u.SFIXED32:case u.SINT32:return Ea(t);default:return t}}function Ea(e){if(typeof e=="string"){if(e===""||e.trim().length!==e.length)return e;let t=Number(e);return Number.isNaN(t)?e:t}return e}function Cc(e,t){try{return JSON.parse(e)}catch(n){let r=n instanceof Error?n.message:String(n);throw new Error(`cannot decode message ${t} from JSON: ${r}`,{cause:n})}}function Lc(e,t,n){if(!e.desc.typeName.startsWith("google.protobuf."))return!1;switch(e.desc.typeName){case"google.protobuf.Any":return Gc(e.message,t,n),!0;case"google.protobuf.Timestamp":return Uc(e.message,t),!0;case"google.protobuf.Duration":return Vc(e.message,t),!0;case"google.protobuf.FieldMask":return Oc(e.message,t),!0;case"google.protobuf.Struct":return Sa(e.message,t),!0;case"google.protobuf.Value":return Cr(e.message,t),!0;case"google.protobuf.ListValue":return va(e.message,t),!0;default:if(Q(e.desc)){let r=e.desc.fields[0];return t===null?e.clear(r):e.set(r,Wt(r,t,!0)),!0}return!1}}function Gc(e,t,n){var r;if(t===null||Array.isArray(t)||typeof t!="object")throw new Error(`cannot decode message ${e.$typeName} from JSON: expected object but got ${R(t)}`);if(Object.keys(t).length==0)return;let o=t["@type"];if(typeof o!="string"||o=="")throw new Error(`cannot decode message ${e.$typeName} from JSON: "@type" is empty`);let s=o.includes("/")?o.substring(o.lastIndexOf("/")+1):o;if(!s.length)throw new Error(`cannot decode message ${e.$typeName} from JSON: "@type" is invalid`);let a=(r=n.registry)===null||r===void 0?void 0:r.getMessage(s);if(!a)throw new Error(`cannot decode message ${e.$typeName} from JSON: ${o} is not in the type registry`);let i=C(a);if(s.startsWith("google.protobuf.")&&Object.prototype.hasOwnProperty.call(t,"value")){let l=t.value;Ce(i,l,n)}else{let l=Object.assign({},t);delete l["@type"],Ce(i,l,n)}Zs(i.desc,i.message,e)}function Uc(e,t){if(typeof t!="string")throw new Error(`cannot decode message ${e.$typeName} from JSON: ${R(t)}`);let n=t.match(/^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|([+-][0-9][0-9]:[0-9][0-9]))$/);if(!n)throw new Error(`cannot decode message ${e.$typeName} from JSON: invalid RFC 3339 string`);let r=Date.parse(n[1]+"-"+n[2]+"-"+n[3]+"T"+n[4]+":"+n[5]+":"+n[6]+(n[8]?n[8]:"Z"));if(Number.isNaN(r))throw new Error(`cannot decode message ${e.$typeName} from JSON: invalid RFC 3339 string`);if(r<Date.parse("0001-01-01T00:00:00Z")||r>Date.parse("9999-12-31T23:59:59Z"))throw new Error(`cannot decode message ${e.$typeName} from JSON: must be from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z inclusive`);e.seconds=I.parse(r/1e3),e.nanos=0,n[7]&&(e.nanos=parseInt("1"+n[7]+"0".repeat(9-n[7].length))-1e9)}function Vc(e,t){if(typeof t!="string")throw new Error(`cannot decode message ${e.$typeName} from JSON: ${R(t)}`);let n=t.match(/^(-?[0-9]+)(?:\.([0-9]+))?s/);if(n===null)throw new Error(`cannot decode message ${e.$typeName} from JSON: ${R(t)}`);let r=Number(n[1]);if(r>315576e6||r<-315576e6)throw new Error(`cannot decode message ${e.$typeName} from JSON: ${R(t)}`);if(e.seconds=I.parse(r),typeof n[2]!="string")return;let o=n[2]+"0".repeat(9-n[2].length);e.nanos=parseInt(o),(r<0||Object.is(r,-0))&&(e.nanos=-e.nanos)}function Oc(e,t){if(typeof t!="string")throw new Error(`cannot decode message ${e.$typeName} from JSON: ${R(t)}`);if(t==="")return;function n(r){if(r.includes("_"))throw new Error(`cannot decode message ${e.$typeName} from JSON: path names must be lowerCamelCase`);let o=r.replace(/[A-Z]/g,s=>"_"+s.toLowerCase());return o[0]==="_"?o.substring(1):o}e.paths=t.split(",").map(n)}function Sa(e,t){if(typeof t!="object"||t==null||Array.isArray(t))throw new Error(`cannot decode message ${e.$typeName} from JSON ${R(t)}`);for(let[n,r]of Object.entries(t)){let o=k(Er);Cr(o,r),e.fields[n]=o}}function Cr(e,t){switch(typeof t){case"number":e.kind={case:"numberValue",value:t};break;case"string":e.kind={case:"stringValue",value:t};break;case"boolean":e.kind={case:"boolValue",value:t};break;case"object":if(t===null)e.kind={case:"nullValue",value:Dt.NULL_VALUE};else if(Array.isArray(t)){let n=k(Xs);va(n,t),e.kind={case:"listValue",value:n}}else{let n=k(Ps);Sa(n,t),e.kind={case:"structValue",value:n}}break;default:throw new Error(`cannot decode message ${e.$typeName} from JSON ${R(t)}`)}return e}function va(e,t){if(!Array.isArray(t))throw new Error(`cannot decode message ${e.$typeName} from JSON ${R(t)}`);for(let n of t){let r=k(Er);Cr(r,n),e.values.push(r)}}function ot(e){let t=v[e];return typeof t!="string"?e.toString():t[0].toLowerCase()+t.substring(1).replace(/[A-Z]/g,n=>"_"+n.toLowerCase())}var Kt;function xa(e){if(!Kt){Kt={};for(let t of Object.values(v))typeof t!="string"&&(Kt[ot(t)]=t)}return Kt[e]}var A=class e extends Error{constructor(t,n=v.Unknown,r,o,s){super(Bc(t,n)),this.name="ConnectError",Object.setPrototypeOf(this,new.target.prototype),this.rawMessage=t,this.code=n,this.metadata=new Headers(r??{}),this.details=o??[],this.cause=s}static from(t,n=v.Unknown){return t instanceof e?t:t instanceof Error?t.name=="AbortError"||t.name=="TimeoutError"?new e(t.message,v.Canceled):new e(t.message,n,void 0,void 0,t):new e(String(t),n,void 0,void 0,t)}static[Symbol.hasInstance](t){return t instanceof Error?Object.getPrototypeOf(t)===e.prototype?!0:t.name==="ConnectError"&&"code"in t&&typeof t.code=="number"&&"metadata"in t&&"details"in t&&Array.isArray(t.details)&&"rawMessage"in t&&typeof t.rawMessage=="string"&&"cause"in t:!1}findDetails(t){let n=t.kind==="message"?{getMessage:o=>o===t.typeName?t:void 0}:t,r=[];for(let o of this.details){if("desc"in o){n.getMessage(o.desc.typeName)&&r.push(k(o.desc,o.value));continue}let s=n.getMessage(o.type);if(s)try{r.push(ne(s,o.value))}catch{}}return r}};function Bc(e,t){return e.length?`[${ot(t)}] ${e}`:`[${ot(t)}]`}function Lr(...e){let t=new Headers;for(let n of e)n.forEach((r,o)=>{t.append(o,r)});return t}function Ia(e,t){let n={};for(let r of e.methods){let o=t(r);o!=null&&(n[r.localName]=o)}return n}var Pt=1;function Aa(e,t,n=!1){if(t>e){let r=`message size is larger than configured readMaxBytes ${e}`;throw n&&(r=`message size ${t} is larger than configured readMaxBytes ${e}`),new A(r,v.ResourceExhausted)}}function Mc(e){return new Gr(e)}var Gr=class{constructor(t){this.readMaxBytes=t,this.header=new Uint8Array(5),this.headerView=new DataView(this.header.buffer),this.buf=[]}get byteLength(){return this.buf.reduce((t,n)=>t+n.byteLength,0)}decode(t){this.buf.push(t);let n=[];for(;;){let r=this.pop();if(!r)break;n.push(r)}return n}pop(){if(!(!this.env&&(this.env=this.head(),!this.env))&&this.cons(this.env.data)){let t=this.env;return this.env=void 0,t}}head(){if(!this.cons(this.header))return;let t=this.headerView.getUint8(0),n=this.headerView.getUint32(1);return Aa(this.readMaxBytes,n,!0),{flags:t,data:new Uint8Array(n)}}cons(t){let n=t.byteLength;if(this.byteLength<n)return!1;let r=0;for(;r<n;){let o=this.buf.shift();o.byteLength>n-r?(t.set(o.subarray(0,n-r),r),this.buf.unshift(o.subarray(n-r)),r+=n-r):(t.set(o,r),r+=o.byteLength)}return!0}};function Ur(e){let t,n=Mc(4294967295);return new ReadableStream({start(){t=e.getReader()},async pull(r){let o=!1;for(;!o;){let s=await t.read();if(s.done)n.byteLength>0&&r.error(new A("protocol error: incomplete envelope",v.InvalidArgument)),r.close();else for(let a of n.decode(s.value))r.enqueue(a),o=!0}}})}function Vr(e,t){let n=new Uint8Array(t.length+5);n.set(t,5);let r=new DataView(n.buffer,n.byteOffset,n.byteLength);return r.setUint8(0,e),r.setUint32(1,t.length),n}var Dc=function(e){if(!Symbol.asyncIterator)throw new TypeError("Symbol.asyncIterator is not defined.");var t=e[Symbol.asyncIterator],n;return t?t.call(e):(e=typeof __values=="function"?__values(e):e[Symbol.iterator](),n={},r("next"),r("throw"),r("return"),n[Symbol.asyncIterator]=function(){return this},n);function r(s){n[s]=e[s]&&function(a){return new Promise(function(i,l){a=e[s](a),o(i,l,a.done,a.value)})}}function o(s,a,i,l){Promise.resolve(l).then(function(c){s({value:c,done:i})},a)}},st=function(e){return this instanceof st?(this.v=e,this):new st(e)},Fc=function(e,t,n){if(!Symbol.asyncIterator)throw new TypeError("Symbol.asyncIterator is not defined.");var r=n.apply(e,t||[]),o,s=[];return o=Object.create((typeof AsyncIterator=="function"?AsyncIterator:Object).prototype),i("next"),i("throw"),i("return",a),o[Symbol.asyncIterator]=function(){return this},o;function a(d){return function(h){return Promise.resolve(h).then(d,p)}}function i(d,h){r[d]&&(o[d]=function(y){return new Promise(function(x,$){s.push([d,y,x,$])>1||l(d,y)})},h&&(o[d]=h(o[d])))}function l(d,h){try{c(r[d](h))}catch(y){g(s[0][3],y)}}function c(d){d.value instanceof st?Promise.resolve(d.value.v).then(m,p):g(s[0][2],d)}function m(d){l("next",d)}function p(d){l("throw",d)}function g(d,h){d(h),s.shift(),s.length&&l(s[0][0],s[0][1])}},Jc=function(e){var t,n;return t={},r("next"),r("throw",function(o){throw o}),r("return"),t[Symbol.iterator]=function(){return this},t;function r(o,s){t[o]=e[o]?function(a){return(n=!n)?{value:st(e[o](a)),done:!1}:s?s(a):a}:s}};function wa(e){return Fc(this,arguments,function*(){yield st(yield*Jc(Dc(e)))})}var Na=function(e){if(!Symbol.asyncIterator)throw new TypeError("Symbol.asyncIterator is not defined.");var t=e[Symbol.asyncIterator],n;return t?t.call(e):(e=typeof __values=="function"?__values(e):e[Symbol.iterator](),n={},r("next"),r("throw"),r("return"),n[Symbol.asyncIterator]=function(){return this},n);function r(s){n[s]=e[s]&&function(a){return new Promise(function(i,l){a=e[s](a),o(i,l,a.done,a.value)})}}function o(s,a,i,l){Promise.resolve(l).then(function(c){s({value:c,done:i})},a)}},Le=function(e){return this instanceof Le?(this.v=e,this):new Le(e)},Yc=function(e){var t,n;return t={},r("next"),r("throw",function(o){throw o}),r("return"),t[Symbol.iterator]=function(){return this},t;function r(o,s){t[o]=e[o]?function(a){return(n=!n)?{value:Le(e[o](a)),done:!1}:s?s(a):a}:s}},Zc=function(e,t,n){if(!Symbol.asyncIterator)throw new TypeError("Symbol.asyncIterator is not defined.");var r=n.apply(e,t||[]),o,s=[];return o=Object.create((typeof AsyncIterator=="function"?AsyncIterator:Object).prototype),i("next"),i("throw"),i("return",a),o[Symbol.asyncIterator]=function(){return this},o;function a(d){return function(h){return Promise.resolve(h).then(d,p)}}function i(d,h){r[d]&&(o[d]=function(y){return new Promise(function(x,$){s.push([d,y,x,$])>1||l(d,y)})},h&&(o[d]=h(o[d])))}function l(d,h){try{c(r[d](h))}catch(y){g(s[0][3],y)}}function c(d){d.value instanceof Le?Promise.resolve(d.value.v).then(m,p):g(s[0][2],d)}function m(d){l("next",d)}function p(d){l("throw",d)}function g(d,h){d(h),s.shift(),s.length&&l(s[0][0],s[0][1])}};function Or(e,t){return Ia(e,n=>{switch(n.methodKind){case"unary":return Wc(t,n);case"server_streaming":return Kc(t,n);case"client_streaming":return Pc(t,n);case"bidi_streaming":return Xc(t,n);default:return null}})}function Wc(e,t){return async(n,r)=>{var o,s;let a=await e.unary(t,r?.signal,r?.timeoutMs,r?.headers,n,r?.contextValues);return(o=r?.onHeader)===null||o===void 0||o.call(r,a.header),(s=r?.onTrailer)===null||s===void 0||s.call(r,a.trailer),a.message}}function Kc(e,t){return(n,r)=>Ra(e.stream(t,r?.signal,r?.timeoutMs,r?.headers,wa([n]),r?.contextValues),r)}function Pc(e,t){return async(n,r)=>{var o,s,a,i,l,c;let m=await e.stream(t,r?.signal,r?.timeoutMs,r?.headers,n,r?.contextValues);(l=r?.onHeader)===null||l===void 0||l.call(r,m.header);let p,g=0;try{for(var d=!0,h=Na(m.message),y;y=await h.next(),o=y.done,!o;d=!0)i=y.value,d=!1,p=i,g++}catch(x){s={error:x}}finally{try{!d&&!o&&(a=h.return)&&await a.call(h)}finally{if(s)throw s.error}}if(!p)throw new A("protocol error: missing response message",v.Unimplemented);if(g>1)throw new A("protocol error: received extra messages for client streaming method",v.Unimplemented);return(c=r?.onTrailer)===null||c===void 0||c.call(r,m.trailer),p}}function Xc(e,t){return(n,r)=>Ra(e.stream(t,r?.signal,r?.timeoutMs,r?.headers,n,r?.contextValues),r)}function Ra(e,t){let n=(function(){return Zc(this,arguments,function*(){var r,o;let s=yield Le(e);(r=t?.onHeader)===null||r===void 0||r.call(t,s.header),yield Le(yield*Yc(Na(s.message))),(o=t?.onTrailer)===null||o===void 0||o.call(t,s.trailer)})})()[Symbol.asyncIterator]();return{[Symbol.asyncIterator]:()=>({next:()=>n.next()})}}function Ta(...e){let t=new AbortController,n=e.filter(o=>o!==void 0).concat(t.signal);for(let o of n){if(o.aborted){r.apply(o);break}o.addEventListener("abort",r)}function r(){t.signal.aborted||t.abort(Br(this));for(let o of n)o.removeEventListener("abort",r)}return t}function ka(e){let t=new AbortController,n=()=>{t.abort(new A("the operation timed out",v.DeadlineExceeded))},r;return e!==void 0&&(e<=0?n():r=setTimeout(n,e)),{signal:t.signal,cleanup:()=>clearTimeout(r)}}function Br(e){if(!e.aborted)return;if(e.reason!==void 0)return e.reason;let t=new Error("This operation was aborted");return t.name="AbortError",t}function Xt(){return{get(e){return e.id in this?this[e.id]:e.defaultValue},set(e,t){return this[e.id]=t,this},delete(e){return delete this[e.id],this}}}function Qt(e,t){return e.toString().replace(/\/?$/,`/${t.parent.typeName}/${t.name}`)}function Mr(e,t){return k(e,t)}function _a(e,t){function n(r){return r.done===!0?r:{done:r.done,value:Mr(e,r.value)}}return{[Symbol.asyncIterator](){let r=t[Symbol.asyncIterator](),o={next:()=>r.next().then(n)};return r.throw!==void 0&&(o.throw=s=>r.throw(s).then(n)),r.return!==void 0&&(o.return=s=>r.return(s).then(n)),o}}}function Dr(e,t){if(!t)return e;for(let n of t.concat().reverse())e=n(e);return e}function zt(e){var t;let n=Object.assign({},e);return(t=n.ignoreUnknownFields)!==null&&t!==void 0||(n.ignoreUnknownFields=!0),n}function jt(e,t,n,r){let o=t?$a(e.input,r):Ca(e.input,n);return{parse:(t?$a(e.output,r):Ca(e.output,n)).parse,serialize:o.serialize}}function $a(e,t){return{parse(n){try{return ne(e,n,t)}catch(r){let o=r instanceof Error?r.message:String(r);throw new A(`parse binary: ${o}`,v.Internal)}},serialize(n){try{return qe(e,n,t)}catch(r){let o=r instanceof Error?r.message:String(r);throw new A(`serialize binary: ${o}`,v.Internal)}}}}function Ca(e,t){var n,r;let o=(n=t?.textEncoder)!==null&&n!==void 0?n:new TextEncoder,s=(r=t?.textDecoder)!==null&&r!==void 0?r:new TextDecoder,a=zt(t);return{parse(i){try{let l=s.decode(i);return ya(e,l,a)}catch(l){throw A.from(l,v.InvalidArgument)}},serialize(i){try{let l=ma(e,i,a);return o.encode(l)}catch(l){throw A.from(l,v.Internal)}}}}var Qc=/^application\/(connect\+)?(?:(json)(?:; ?charset=utf-?8)?|(proto))$/i;var La="application/proto",Ga="application/json",Ua="application/connect+proto",Va="application/connect+json";function Oa(e){let t=e?.match(Qc);if(!t)return;let n=!!t[1],r=!!t[3];return{stream:n,binary:r}}function at(e,t,n){var r;if(t&&new Headers(t).forEach((i,l)=>n.metadata.append(l,i)),typeof e!="object"||e==null||Array.isArray(e))throw n;let o=n.code;"code"in e&&typeof e.code=="string"&&(o=(r=xa(e.code))!==null&&r!==void 0?r:o);let s=e.message;if(s!=null&&typeof s!="string")throw n;let a=new A(s??"",o,t);if("details"in e&&Array.isArray(e.details))for(let i of e.details){if(i===null||typeof i!="object"||Array.isArray(i)||typeof i.type!="string"||typeof i.value!="string")throw n;try{a.details.push({type:i.type,value:Ne(i.value),debug:i.debug})}catch{throw n}}return a}var Ht=2;function Fr(e){let t=new A("invalid end stream",v.Unknown),n;try{n=JSON.parse(typeof e=="string"?e:new TextDecoder().decode(e))}catch{throw t}if(typeof n!="object"||n==null||Array.isArray(n))throw t;let r=new Headers;if("metadata"in n){if(typeof n.metadata!="object"||n.metadata==null||Array.isArray(n.metadata))throw t;for(let[s,a]of Object.entries(n.metadata)){if(!Array.isArray(a)||a.some(i=>typeof i!="string"))throw t;for(let i of a)r.append(s,i)}}let o="error"in n&&n.error!=null?at(n.error,r,t):void 0;return{metadata:r,error:o}}var ve="Content-Type",Ba="Content-Length",it="Content-Encoding";var Jr="Accept-Encoding";var Ma="Connect-Timeout-Ms",qt="Connect-Protocol-Version",Yr="User-Agent";function Da(e){switch(e){case 400:return v.Internal;case 401:return v.Unauthenticated;case 403:return v.PermissionDenied;case 404:return v.Unimplemented;case 429:return v.Unavailable;case 502:return v.Unavailable;case 503:return v.Unavailable;case 504:return v.Unavailable;default:return v.Unknown}}function en(e){let t=new Headers,n=new Headers;return e.forEach((r,o)=>{o.toLowerCase().startsWith("trailer-")?n.append(o.substring(8),r):t.append(o,r)}),[t,n]}var tn="1";function nn(e,t,n,r,o){let s=new Headers(r??{});return n!==void 0&&s.set(Ma,`${n}`),s.set(ve,e=="unary"?t?La:Ga:t?Ua:Va),s.set(qt,tn),!s.has(Yr)&&o&&s.set(Yr,"connect-es/2.0.4"),s}function rn(e,t,n,r){let o=r.get(ve),s=Oa(o);if(n!==200){let i=new A(`HTTP ${n}`,Da(n),r);if(e=="unary"&&s&&!s.binary)return{isUnaryError:!0,unaryError:i};throw i}let a={binary:t,stream:e!=="unary"};if(s?.binary!==a.binary||s.stream!==a.stream)throw new A(`unsupported content type ${o}`,s===void 0?v.Unknown:v.Internal,r);return{isUnaryError:!1}}var Fa="application/";function Hc(e,t){return t?Ke(e,"url"):encodeURIComponent(new TextDecoder().decode(e))}function Zr(e,t,n){let r=`?connect=v${tn}`,o=e.header.get(ve);o?.indexOf(Fa)===0&&(r+="&encoding="+encodeURIComponent(o.slice(Fa.length)));let s=e.header.get(it);s!==null&&s!=="identity"&&(r+="&compression="+encodeURIComponent(s),n=!0),n&&(r+="&base64=1"),r+="&message="+Hc(t,n);let a=e.url+r,i=new Headers(e.header);for(let l of[qt,ve,Ba,it,Jr])i.delete(l);return Object.assign(Object.assign({},e),{requestMethod:"GET",url:a,header:i})}function Wr(e){let t=Dr(e.next,e.interceptors),[n,r,o]=Ja(e),s=Object.assign(Object.assign({},e.req),{message:Mr(e.req.method.input,e.req.message),signal:n});return t(s).then(a=>(o(),a),r)}function Kr(e){let t=Dr(e.next,e.interceptors),[n,r,o]=Ja(e),s=Object.assign(Object.assign({},e.req),{message:_a(e.req.method.input,e.req.message),signal:n}),a=!1;return n.addEventListener("abort",function(){var i,l;let c=e.req.message[Symbol.asyncIterator]();a||(i=c.throw)===null||i===void 0||i.call(c,this.reason).catch(()=>{}),(l=c.return)===null||l===void 0||l.call(c).catch(()=>{})}),t(s).then(i=>Object.assign(Object.assign({},i),{message:{[Symbol.asyncIterator](){let l=i.message[Symbol.asyncIterator]();return{next(){return l.next().then(c=>(c.done==!0&&(a=!0,o()),c),r)}}}}}),r)}function Ja(e){let{signal:t,cleanup:n}=ka(e.timeoutMs),r=Ta(e.signal,t);return[r.signal,function(s){let a=A.from(t.aborted?Br(t):s);return r.abort(a),n(),Promise.reject(a)},function(){n(),r.abort()}]}function Ya(){try{new Headers}catch{throw new Error("connect-web requires the fetch API. Are you running on an old version of Node.js? Node.js is not supported in Connect for Web - please stay tuned for Connect for Node.")}}var lt=function(e){return this instanceof lt?(this.v=e,this):new lt(e)},qc=function(e,t,n){if(!Symbol.asyncIterator)throw new TypeError("Symbol.asyncIterator is not defined.");var r=n.apply(e,t||[]),o,s=[];return o=Object.create((typeof AsyncIterator=="function"?AsyncIterator:Object).prototype),i("next"),i("throw"),i("return",a),o[Symbol.asyncIterator]=function(){return this},o;function a(d){return function(h){return Promise.resolve(h).then(d,p)}}function i(d,h){r[d]&&(o[d]=function(y){return new Promise(function(x,$){s.push([d,y,x,$])>1||l(d,y)})},h&&(o[d]=h(o[d])))}function l(d,h){try{c(r[d](h))}catch(y){g(s[0][3],y)}}function c(d){d.value instanceof lt?Promise.resolve(d.value.v).then(m,p):g(s[0][2],d)}function m(d){l("next",d)}function p(d){l("throw",d)}function g(d,h){d(h),s.shift(),s.length&&l(s[0][0],s[0][1])}},Za={redirect:"error"};function Pr(e){var t;Ya();let n=(t=e.useBinaryFormat)!==null&&t!==void 0?t:!1;return{async unary(r,o,s,a,i,l){let{serialize:c,parse:m}=jt(r,n,e.jsonOptions,e.binaryOptions);return s=s===void 0?e.defaultTimeoutMs:s<=0?void 0:s,await Wr({interceptors:e.interceptors,signal:o,timeoutMs:s,req:{stream:!1,service:r.parent,method:r,requestMethod:"POST",url:Qt(e.baseUrl,r),header:nn(r.methodKind,n,s,a,!1),contextValues:l??Xt(),message:i},next:async p=>{var g;let d=e.useHttpGet===!0&&r.idempotency===Bt.NO_SIDE_EFFECTS,h=null;d?p=Zr(p,c(p.message),n):h=c(p.message);let x=await((g=e.fetch)!==null&&g!==void 0?g:globalThis.fetch)(p.url,Object.assign(Object.assign({},Za),{method:p.requestMethod,headers:p.header,signal:p.signal,body:h})),{isUnaryError:$,unaryError:ut}=rn(r.methodKind,n,x.status,x.headers);if($)throw at(await x.json(),Lr(...en(x.headers)),ut);let[dt,pt]=en(x.headers);return{stream:!1,service:r.parent,method:r,header:dt,message:n?m(new Uint8Array(await x.arrayBuffer())):_r(r.output,await x.json(),zt(e.jsonOptions)),trailer:pt}}})},async stream(r,o,s,a,i,l){let{serialize:c,parse:m}=jt(r,n,e.jsonOptions,e.binaryOptions);function p(d,h,y,x){return qc(this,arguments,function*(){let ut=Ur(d).getReader(),dt=!1;for(;;){let pt=yield lt(ut.read());if(pt.done)break;let{flags:so,data:ao}=pt.value;if((so&Pt)===Pt)throw new A("protocol error: received unsupported compressed output",v.Internal);if((so&Ht)===Ht){dt=!0;let Tn=Fr(ao);if(Tn.error){let mt=Tn.error;throw y.forEach((kn,Zi)=>{mt.metadata.append(Zi,kn)}),mt}Tn.metadata.forEach((mt,kn)=>h.set(kn,mt));continue}yield yield lt(m(ao))}if("throwIfAborted"in x&&x.throwIfAborted(),!dt)throw"missing EndStreamResponse"})}async function g(d){if(r.methodKind!="server_streaming")throw"The fetch API does not support streaming request bodies";let h=await d[Symbol.asyncIterator]().next();if(h.done==!0)throw"missing request message";return Vr(0,c(h.value))}return s=s===void 0?e.defaultTimeoutMs:s<=0?void 0:s,await Kr({interceptors:e.interceptors,timeoutMs:s,signal:o,req:{stream:!0,service:r.parent,method:r,requestMethod:"POST",url:Qt(e.baseUrl,r),header:nn(r.methodKind,n,s,a,!1),contextValues:l??Xt(),message:i},next:async d=>{var h;let x=await((h=e.fetch)!==null&&h!==void 0?h:globalThis.fetch)(d.url,Object.assign(Object.assign({},Za),{method:d.requestMethod,headers:d.header,signal:d.signal,body:await g(d.message)}));if(rn(r.methodKind,n,x.status,x.headers),x.body===null)throw"missing response body";let $=new Headers;return Object.assign(Object.assign({},d),{header:x.headers,trailer:$,message:p(x.body,$,x.headers,d.signal)})}})}}}var on=class{constructor(t){this.job=t}apply(t){let n=this.job;if(t.sequence<=n.lastSequence)return;n.lastSequence=t.sequence;let r=t.payload,o=s=>n.stages.find(a=>a.stageId===s);switch(r.case){case"jobStarted":n.state=2,n.attempt=t.attempt,n.workerId=r.value.workerId,t.time&&(n.startTime=t.time),n.fraction=0,delete n.failure,delete n.retryTime;for(let s of n.stages)s.state=1,s.fraction=0,s.current=0,delete s.startTime,delete s.endTime,delete s.failure,s.message="";break;case"stagesPlanned":n.stages=r.value.stages.map(s=>({...s,state:1,planned:!0})),n.fractionKnown=!0;break;case"stageStarted":{let s=o(r.value.stage.stageId);s||(s=k(js,{...r.value.stage}),n.stages.push(s)),r.value.stage.total!==void 0&&(s.total=r.value.stage.total,s.fractionKnown=!0),r.value.stage.unit&&(s.unit=r.value.stage.unit),s.state=2,t.time&&(s.startTime=t.time);break}case"stageProgressed":{n.fraction=r.value.jobFraction;let s=o(r.value.stageId);s&&(s.current=r.value.current,s.fraction=r.value.fraction,r.value.total!==void 0&&(s.total=r.value.total),r.value.message&&(s.message=r.value.message));break}case"stageEnded":{n.fraction=r.value.jobFraction;let s=o(r.value.stageId);s&&(s.state=r.value.state,t.time&&(s.endTime=t.time),r.value.failure&&(s.failure=r.value.failure),s.state===3&&(s.fraction=1,s.fractionKnown=!0));break}case"artifactAdded":n.artifacts.push(r.value.artifact);break;case"cancelRequested":n.state=3,n.cancellation=r.value.cancellation;break;case"cancelAcknowledged":n.cancellation&&t.time&&(n.cancellation.acknowledgeTime=t.time);break;case"attemptEnded":n.state=1,n.failure=r.value.failure,n.message=r.value.failure?.message??"",r.value.retryTime&&(n.retryTime=r.value.retryTime),n.failedAttempts++;for(let s of n.stages)s.state===2&&(s.state=4,t.time&&(s.endTime=t.time));break;case"jobEnded":n.state=r.value.state,n.message=r.value.message,t.time&&(n.endTime=t.time),r.value.failure?n.failure=r.value.failure:delete n.failure,r.value.result&&(n.result=r.value.result),r.value.forced&&n.cancellation&&(n.cancellation.forced=!0),n.state===4&&(n.fraction=1);for(let s of n.stages)s.state===2?s.state=n.state===4?3:n.state===6?6:4:s.state===1&&(s.state=5),t.time&&!s.endTime&&(s.endTime=t.time);break}}};var Ka=["job_started","stage_started","stage_ended","attempt_ended","job_ended"];function Pa(e,t){let n=[],r=E(e.submitTime)??0;for(let{attempt:o,time:s,payload:a}of t){let i=E(s)??r,l=n.at(-1);if(a.case==="jobStarted")n.push({number:o,queued:r,start:i,workerId:a.value.workerId,outcome:"",stages:new Map});else if(l){if(a.case==="stageStarted"){let c=a.value.stage?.stageId??"";l.stages.set(c,{start:i,state:2})}else if(a.case==="stageEnded")Xa(l.stages.get(a.value.stageId),i,a.value.state);else if(a.case==="attemptEnded"){let c=a.value.failure,m=c?.code==="RELEASED";Wa(l,i,m?"released":"failed",m?6:4),c&&(l.failure=c),r=i}else if(a.case==="jobEnded"){let c=a.value.state;Wa(l,i,L(c).word,eu[c]??4),a.value.failure&&(l.failure=a.value.failure)}}else continue}return tu(n,e,r),n}var eu={4:3,6:6};function tu(e,t,n){let r=E(t.startTime);if(t.attempt===0||r===void 0)return;let o=e.at(-1);if((!o||o.number<t.attempt)&&(o={number:t.attempt,queued:n,start:r,workerId:t.workerId,outcome:"",stages:new Map},e.push(o)),o.outcome)return;for(let a of t.stages){let i=E(a.startTime);if(i===void 0)continue;let l={start:i,state:a.state},c=E(a.endTime);c!==void 0&&(l.end=c),o.stages.set(a.stageId,l)}let s=E(t.endTime);_(t)&&s!==void 0?(o.end=s,o.outcome=L(t.state).word,t.failure&&(o.failure=t.failure)):t.state===1&&(o.outcome=t.failure?.code==="RELEASED"?"released":"failed",t.failure&&(o.failure=t.failure))}function Wa(e,t,n,r){e.end=t,e.outcome=n;for(let o of e.stages.values())o.end===void 0&&Xa(o,t,r)}function Xa(e,t,n){e&&(e.end=t,e.state=n)}function Qa(e,t,n,r){let o=S(e.kind,64),s=E(e.retryTime);if(s!==void 0&&s>r)return`next attempt in ${w((s-r)/1e3+.999)}`;let a=(t?.nearestKinds??[]).map(l=>S(l,64)).join(", "),i=a?`; nearest: ${a}`:"";if(!t)return"waiting in the queue";switch(t.waitingFor){case 4:return"waits to be claimed by the engine that runs it";case 2:return`no worker takes ${o}${i}`;case 3:return`no worker takes ${o} yet${i}; the server has just started, and workers may be reconnecting`;default:{let l=t.workers===1?"takes":"take";return`${n?`${na(n.place)} of ${n.of}`:"waits for its turn"} \xB7 ${ce(t.workers,"worker")} ${l} ${o}`}}}function za(e){return e?.waitingFor===2||e?.waitingFor===3}var sn=class{constructor(t){this.work=t}#e=!1;request(){this.#e||(this.#e=!0,requestAnimationFrame(()=>{this.#e=!1,this.work()}))}};var Xr=12e5,Qr=256*1024*1024,nu=2e4,ru={stageIds:void 0,severity:1,text:""};function ja(e){if(e.payload.case!=="logWritten")return;let{stageId:t,severity:n,text:r}=e.payload.value;return{sequence:Number(e.sequence),time:E(e.time)??0,attempt:e.attempt,stageId:t,severity:n===0?2:n,text:r.replace(/\r?\n$/,"")}}var an=class{hasStages=!1;#e=[];#t=this.#e;#n=0;#r=ru;#s="";#o;get shown(){return this.#t}get size(){return this.#e.length}get filter(){return this.#r}get oldest(){return this.#e[0]?.sequence}get isFiltering(){return this.#o!==void 0}append(t){let n=this.#e.at(-1)?.sequence??-1,r=t.filter(a=>a.sequence>n),o=this.#t.length;for(let a of r)this.#e.push(a),this.#n+=a.text.length,this.hasStages||=a.stageId!=="";if(this.#t!==this.#e&&!this.#o)for(let a of r)this.#a(a)&&this.#t.push(a);let s=this.#t.length-o;return{prepended:0,dropped:this.#c(),appended:s,reset:!1}}prepend(t){let n=this.oldest??1/0,r=t.filter(a=>a.sequence<n);r=r.slice(Math.max(r.length-this.#l(),0)),this.#n+=r.reduce((a,i)=>a+i.text.length,0),this.hasStages||=r.some(a=>a.stageId!=="");let o=this.#t===this.#e;if(this.#e=r.concat(this.#e),o)return this.#t=this.#e,{prepended:r.length,dropped:0,appended:0,reset:!1};let s=r.filter(a=>this.#a(a));return this.#t=s.concat(this.#t),{prepended:s.length,dropped:0,appended:0,reset:!1}}get hasRoom(){return this.#l()>0}setFilter(t){return this.#r=t,this.#s=t.text.toLowerCase(),this.#o=void 0,!t.stageIds&&t.severity<=1&&!t.text?this.#t=this.#e:(this.#t=[],this.#o=this.#i(),this.#o.next()),{prepended:0,dropped:0,appended:0,reset:!0}}continueFiltering(){let t=this.#t.length;return this.#o?.next(),{prepended:this.#t.length-t,dropped:0,appended:0,reset:!1}}clear(){return this.#e=[],this.#n=0,this.setFilter(this.#r)}*#i(){let t=this.#e.length;for(;t>0;){let n=Math.max(t-nu,0),r=this.#e.slice(n,t).filter(o=>this.#a(o));this.#t=r.concat(this.#t),t=n,t>0&&(yield)}this.#o=void 0}#a(t){let{stageIds:n,severity:r}=this.#r;return t.severity>=r&&(!n||n.has(t.stageId))&&(!this.#s||t.text.toLowerCase().includes(this.#s))}#l(){return this.#n>=Qr?0:Xr-this.#e.length}#c(){if(this.#e.length<=Xr&&this.#n<=Qr)return 0;let t=Math.max(this.#e.length-Xr,0)+Math.ceil(this.#e.length/20),n=0;for(let i=0;i<this.#e.length&&(i<t||this.#n-n>Qr);i++)n+=this.#e[i]?.text.length??0,t=Math.max(t,i+1);let r=this.#t===this.#e;if(this.#e.splice(0,t),this.#n-=n,r)return t;let o=this.oldest??1/0,s=this.#t.findIndex(i=>i.sequence>=o),a=s<0?this.#t.length:s;return this.#t.splice(0,a),a}};var Ha=2e3,ou=5e5,su=500,ln=class{constructor(t,n){this.server=t;this.jobId=n}lines=new an;isLoaded=!1;isLoading=!1;error="";#e=0;#t=1;#n=Ha;#r=new AbortController;get hasOlder(){return!this.isLoaded||this.#e>=this.#t&&this.lines.hasRoom}restart(t,n){this.#r.abort(),this.#r=new AbortController,this.lines.clear(),this.#e=t,this.#t=Math.max(n,1),this.#n=Ha,this.isLoaded=this.isLoading=!1}add(t){this.lines.append(qa(t))}async loadOlder(){if(this.isLoading||!this.hasOlder)return;let{signal:t}=this.#r;this.isLoading=!0,this.error="";try{let n=Math.max(this.#e-this.#n,this.#t-1),r=await this.#s(n,this.#e,t);if(t.aborted)return;this.lines.prepend(r),this.#e=n,this.isLoaded=!0,r.length<su&&(this.#n=Math.min(this.#n*4,ou))}catch(n){t.aborted||(this.error=n instanceof Error?n.message:String(n))}finally{t.aborted||(this.isLoading=!1)}}async#s(t,n,r){let o=[];if(t>=n)return o;let s=new AbortController,a=AbortSignal.any([r,s.signal]),i=this.server.calls.watchJob({jobId:this.jobId,start:{case:"afterSequence",value:BigInt(t)},filter:{payloads:["log_written"]},noFollow:!0},{signal:a});try{for await(let{frame:l}of i)l.case==="events"&&(o.push(...qa(l.value.events).filter(c=>c.sequence<=n)),Number(l.value.events.at(-1)?.sequence??0)>=n&&s.abort())}catch(l){if(!s.signal.aborted)throw l}return o}};function qa(e){return e.map(ja).filter(t=>t!==void 0)}var Ge=class{#e=new Set;get count(){return this.#e.size}add(t){return this.#e.add(t),()=>this.#e.delete(t)}notify(){for(let t of this.#e)t()}};var cn=class{constructor(t,n){this.server=t;this.jobId=n;this.log=new ln(t,n)}log;connection={state:"connecting",error:""};waiting;place;epoch="";children=[];hasMoreChildren=!1;isCaughtUp=!1;#e;#t=[];#n=new Ge;#r=new sn(()=>{this.#c()});#s=[];#o;get job(){return this.#e?.job}get now(){return this.connection.staleSince??this.server.clock.now()}get isMoving(){return this.job===void 0||!_(this.job)||this.connection.state==="reconnecting"}get isEnded(){return this.job!==void 0&&_(this.job)}get attempts(){return this.job?Pa(this.job,this.#t):[]}subscribe(t){let n=this.#n.add(t);return this.#i(),()=>{n(),this.#n.count===0&&this.#a()}}async loadOlderLines(){let t=this.log.loadOlder();this.#r.request(),await t,this.#r.request()}async cancel(t,n){await this.server.calls.cancelJob({jobId:this.jobId,reason:t,gracePeriod:{seconds:BigInt(Math.floor(n)),nanos:0}})}#i(){this.#o||(this.#o=new AbortController,this.#l(this.#o.signal))}#a(){this.#o?.abort(),this.#o=void 0}async#l(t){let n=1e3;for(;!t.aborted;)try{for await(let{frame:r}of this.server.calls.watchJob({jobId:this.jobId,start:{case:"fromSnapshot",value:!0},delivery:2},{signal:t})){switch(n=1e3,r.case){case"opened":this.server.clock.heard(r.value.serverTime),this.epoch=r.value.epoch;break;case"snapshot":this.#e=new on(r.value.job),this.log.restart(Number(this.job.lastSequence),Number(this.job.firstSequence)),this.loadOlderLines(),this.connection={state:"live",error:""};break;case"events":this.#s.push(...r.value.events);break;case"caughtUp":this.isCaughtUp=!0;break;case"status":this.server.clock.heard(r.value.serverTime),this.waiting=r.value.waiting;break}this.#r.request()}if(this.job&&_(this.job)||(await new Promise(r=>setTimeout(r,50)),this.job&&_(this.job)))break}catch(r){if(t.aborted)return;this.connection={state:"reconnecting",error:A.from(r).rawMessage,retryAt:this.server.clock.now()+n,staleSince:this.server.clock.now()},this.#r.request(),await new Promise(o=>setTimeout(o,n))}}#c(){let t=this.#s;this.#s=[];for(let n of t)this.#e?.apply(n),Ka.includes(n.payload.case?.replace(/[A-Z]/g,r=>`_${r.toLowerCase()}`)??"")&&this.#t.push(n);this.log.add(t),this.job&&_(this.job)&&(this.connection={state:"ended",error:""}),this.#n.notify()}};var un=class{#e;heard(t){let n=E(t);if(n===void 0)return;let r=n-Date.now();(this.#e===void 0||r>this.#e||r<this.#e-5e3)&&(this.#e=r)}now(){return Date.now()+(this.#e??0)}};var zr=class{constructor(t,n){this.address=t;this.calls=Or(qs,n)}clock=new un;calls;#e=new Map;job(t){let n=this.#e.get(t);return n||this.#e.set(t,n=new cn(this,t)),n}jobAddress(t){return`${this.address}jobs/${encodeURIComponent(t)}`}},ei=new Map;function dn(e=""){let t=new URL(e||ti,document.baseURI).href.replace(/\/?$/,"/"),n=ei.get(t);if(!n){let r=Pr({baseUrl:t.slice(0,-1),useBinaryFormat:!0});ei.set(t,n=new zr(t,r))}return n}var ti="";function au(e){ti=e}var Z=G`
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
  button.plain:hover {
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
    .bar > .fill {
      background: CanvasText;
    }
  }
`;var iu=[[0,"at once, by force"],[10,"10 seconds"],[30,"30 seconds"],[120,"2 minutes"],[600,"10 minutes"]],lu=4096,pn=class extends V{static properties={store:{attribute:!1},error:{state:!0},busy:{state:!0}};static styles=[Z,G`
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
      label {
        display: block;
        margin: 12px 0 4px;
      }
      textarea,
      select {
        width: 100%;
      }
      .actions {
        display: flex;
        justify-content: end;
        gap: 8px;
        margin-top: 16px;
      }
      p {
        margin: 0;
      }
    `];constructor(){super(),this.error="",this.busy=!1}open(){this.error="",this.#t?.showModal()}render(){let t=this.store?.job;return f`<dialog
      aria-labelledby="title"
      @close=${()=>{this.busy=!1}}
    >
      <form method="dialog" @submit=${this.#e}>
        <h2 id="title">Cancel this job?</h2>
        <p class="muted">
          <span class="foreign">${S(t?.kind??"")}</span>
          <span class="foreign mono">${t?.jobId}</span> and its children will stop.
        </p>
        <label for="reason">Reason</label>
        <textarea
          id="reason"
          rows="2"
          maxlength=${lu}
          placeholder="for whoever looks at this later"
        ></textarea>
        <label for="grace">Time to stop cleanly</label>
        <select id="grace">
          ${iu.map(([n,r])=>f`<option value=${n} ?selected=${n===30}>${r}</option>`)}
        </select>
        ${this.error?f`<p class="failed" role="alert">${this.error}</p>`:b}
        <div class="actions">
          <button
            type="button"
            @click=${()=>{this.#t?.close()}}
          >
            Keep it running
          </button>
          <button type="submit" class="danger" ?disabled=${this.busy}>Cancel the job</button>
        </div>
      </form>
    </dialog>`}#e=async t=>{t.preventDefault();let n=this.renderRoot.querySelector("textarea")?.value??"",r=Number(this.renderRoot.querySelector("select")?.value??30);this.busy=!0;try{await this.store?.cancel(n,r),this.#t?.close()}catch(o){this.error=o instanceof Error?o.message:String(o)}this.busy=!1};get#t(){return this.renderRoot.querySelector("dialog")}};var mn={waiting:U`<circle cx="8" cy="8" r="5" fill="none" stroke="currentColor" stroke-width="1.6"/>`,running:U`<path d="M5 3.2v9.6L13 8z" fill="currentColor"/>`,stopping:U`<rect x="4" y="4" width="8" height="8" rx="1" fill="currentColor"/>`,succeeded:U`<path d="M3 8.6l3.2 3.2L13 5" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"/>`,failed:U`<path d="M4 4l8 8M12 4l-8 8" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round"/>`,cancelled:U`<circle cx="8" cy="8" r="5.4" fill="none" stroke="currentColor" stroke-width="1.8"/><path d="M4.4 11.6l7.2-7.2" stroke="currentColor" stroke-width="1.8"/>`,lost:U`<path d="M5.4 6a2.7 2.7 0 1 1 3.7 2.6c-.8.3-1.1.8-1.1 1.6" fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round"/><circle cx="8" cy="13" r="1.2" fill="currentColor"/>`,skipped:U`<path d="M4 8h8" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>`},cu={full:U`<circle cx="8" cy="8" r="4.5" fill="currentColor"/>`,half:U`<circle cx="8" cy="8" r="4.5" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M8 3.5a4.5 4.5 0 0 0 0 9z" fill="currentColor"/>`,empty:mn.waiting,cross:mn.failed,turned:U`<path d="M12.5 8A4.5 4.5 0 1 1 8 3.5h3M9 1.5l2.2 2L9 5.6" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"/>`,done:mn.succeeded};function F(e){return fn(mn[e],`icon ${e}`)}function ni(e){return fn(cu[e],"icon")}function ri(){return fn(U`<rect x="5.5" y="5.5" width="8" height="8" rx="1.5" fill="none" stroke="currentColor" stroke-width="1.4"/><path d="M10.5 5.500V4A1.500 1.500 0 0 0 9 2.500H4A1.500 1.500 0 0 0 2.500 4v5A1.500 1.500 0 0 0 4 10.500h1.500" fill="none" stroke="currentColor" stroke-width="1.4"/>`,"icon")}function jr(e){return fn(U`<path d=${e?"M4 6l4 4 4-4":"M6 4l4 4-4 4"} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"/>`,"icon fold")}function fn(e,t){return f`<svg class=${t} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
    ${e}
  </svg>`}function oi(e){return f`<table part="artifacts">
    <thead>
      <tr>
        <th scope="col">name</th>
        <th scope="col" class="number">size</th>
        <th scope="col">type</th>
        <th scope="col">where</th>
      </tr>
    </thead>
    <tbody>
      ${e.map(t=>f`<tr>
            <td class="foreign">${S(t.name)}</td>
            <td class="number">${t.sizeBytes?xr(Number(t.sizeBytes)):""}</td>
            <td class="foreign muted">${S(t.mediaType)}</td>
            <td class="foreign mono">
              ${uu(t.uri)}<milepost-copy
                .text=${t.uri}
                .label=${`copy where ${S(t.name,60)} is`}
              ></milepost-copy>
              ${t.sha256?f`<span class="muted" title="SHA-256">${t.sha256.slice(0,12)}…</span>`:b}
            </td>
          </tr>`)}
    </tbody>
  </table>`}function uu(e){return/^https?:\/\//i.test(e)?f`<a href=${e} rel="noopener noreferrer nofollow" target="_blank">${j(e)}</a>`:j(e)}function hn(e,t){let n=JSON.stringify(e,(r,o)=>typeof o=="bigint"?o.toString():o,2);return f`<div class="json">
    <milepost-copy .text=${n} .label=${`copy the ${t}`}></milepost-copy>
    <pre class="foreign mono" tabindex="0" aria-label=${t}>${j(n)}</pre>
  </div>`}function si(e){return hn(Rr(zs,e),"job as JSON")}function ai(e,t){return f`<table part="attempts">
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
      ${e.map(n=>f`<tr>
            <td class="number">${n.number}</td>
            <td>${n.outcome||"running"}</td>
            <td class="number">${w((n.start-n.queued)/1e3)}</td>
            <td class="number">
              ${n.end===void 0?n.outcome?"":w((t-n.start)/1e3):le((n.end-n.start)/1e3)}
            </td>
            <td title=${z(n.start)}>${Y(n.start)}</td>
            <td class="foreign mono">${S(n.workerId,128)}</td>
            <td class="foreign">
              ${n.failure?f`${S(n.failure.message,500)} <span class="muted mono">${n.failure.code}</span>`:b}
            </td>
          </tr>`)}
    </tbody>
  </table>`}function ii(e,t,n,r){return f`<table part="children">
      <thead>
        <tr>
          <th scope="col">state</th>
          <th scope="col">kind</th>
          <th scope="col">job</th>
          <th scope="col" class="number">took</th>
        </tr>
      </thead>
      <tbody>
        ${e.map(o=>{let{word:s,shape:a}=L(o.state),i=E(o.startTime);return f`<tr>
            <td class=${a}>${F(a)} ${s}</td>
            <td class="foreign">${S(o.kind,64)}</td>
            <td class="mono"><a class="foreign" href=${n(o.jobId)}>${o.jobId}</a></td>
            <td class="number">
              ${i===void 0?"":w(((E(o.endTime)??r)-i)/1e3)}
            </td>
          </tr>`})}
      </tbody>
    </table>
    ${t?f`<p class="muted">There are more children; the list shows all of them.</p>`:b}`}function li(e,t){let n=e.cancellation;if(!n)return[];let r=E(n.requestTime),o=E(n.acknowledgeTime),s=E(n.deadline),a=_(e)?E(e.endTime):void 0,i=n.requestedBy?` by ${S(n.requestedBy,64)}`:"",l=[{name:"asked",at:r,text:`asked${gn(r)}${i}`}];if(o!==void 0?l.push({name:"heard",at:o,text:`heard${gn(o)}`}):a===void 0&&l.push({name:"heard",at:void 0,text:"not yet heard by the worker"}),a!==void 0)l.push(du(e,r,a));else{let c=s===void 0?"":`, by force in ${w(Math.max(s-t,0)/1e3)}`;l.push({name:"stopped",at:void 0,text:`stopping${c}`})}return l}function du(e,t,n){if(e.state!==6)return{name:"completed first",at:n,text:`ended by itself first${gn(n)}`};if(e.cancellation?.forced){let r=t===void 0?"":` after ${w((n-t)/1e3+.5)}`;return{name:"forced",at:n,text:`forced${r}: the worker did not stop in time`}}return{name:"stopped",at:n,text:`stopped${gn(n)}`}}function gn(e){return e===void 0?"":` ${Y(e)}`}var Hr=8;function pu(e){return`
${e}`}function ci(e,t){let n=new Set(e.map(l=>l.stageId)),r=new Map;for(let l of e){let c=n.has(l.parentStageId)?l.parentStageId:"",m=r.get(c);m?m.push(l):r.set(c,[l])}let o=[],s=new Set,a=[],i=(l,c)=>{let m=r.get(l)??[],p=pu(l),g=m.length>Hr,d=!g||(t.get(p)??!1),h=d?m:fu(m);if(g){let y=d?[]:hu(m,h);a.push({type:"rest",key:p,parentId:l,depth:c,hidden:y,open:d})}for(let y of[...h].reverse()){let x=r.get(y.stageId)??[];a.push({type:"stage",key:y.stageId,stage:y,depth:c,inner:x.length,innerDone:x.filter(qr).length,open:x.length?t.get(y.stageId)??mu(y):void 0})}};i("",0);for(let l=a.pop();l;l=a.pop())o.push(l),l.type==="stage"&&l.open&&!s.has(l.key)&&(s.add(l.key),i(l.key,l.depth+1));return o}function ui(e){let t=[4,2,1,3,5,6],n=new Map;for(let r of e)n.set(r.state,(n.get(r.state)??0)+1);return t.flatMap(r=>n.has(r)?[[r,n.get(r)]]:[])}function di(e){let t=e.filter(r=>r.state===2),n=new Set(t.map(r=>r.parentStageId));return t.filter(r=>!n.has(r.stageId)).at(-1)}function qr(e){return e.state===3||e.state===5}function mu(e){return e.state===2||e.state===4}function fu(e){let t=e.filter(o=>o.state===4).slice(0,Hr),n=e.filter(o=>o.state===2).slice(0,Math.max(Hr-t.length,0)),r=new Set([...t,...n]);return e.filter(o=>r.has(o))}function hu(e,t){let n=new Set(t);return e.filter(r=>!n.has(r))}var gu=[.1,.2,.5,1,2,5,10,15,30,60,120,300,600,900,1800,3600,7200,14400,43200,86400],pi=8;function fi(e,t){let n=E(e.submitTime)??t,r=E(e.endTime),o=r??Math.max(t,eo(e,t)??t),s=Math.max((o-n)/1e3,.001),a=gu.find(c=>s/c<=pi)??Math.ceil(s/pi/86400)*86400,i=r===void 0?(Math.floor(s/a)+1)*a:s,l=[];for(let c=0;c*a<i-a/2;c++)l.push({at:c*a/i,label:yu(c*a,a)});return{start:n,end:n+i*1e3,ticks:l,now:r===void 0?Math.min((t-n)/1e3/i,1):void 0}}function hi(e,t,n,r){let o=[],s=Ei(o,n);for(let c of t){s("waiting",c.queued,c.start,c.number,!1);let m=c.outcome==="failed"||c.outcome==="lost"||c.outcome==="cancelled",p=c.end??(c.outcome?c.start:r);s(c.number<e.attempt?"earlier":"running",c.start,p,c.number,m)}let a=t.at(-1),i=a?a.outcome?a.end:void 0:E(e.submitTime)??r;i!==void 0&&!_(e)&&s("waiting",i,r,e.attempt+1,!1);let l=eo(e,r);return l!==void 0&&s("expected",r,l,e.attempt,!1),o}function gi(e,t,n,r,o,s){let a=[],i=Ei(a,o);for(let g of r){let d=g.number<n.attempt?g.stages.get(e.stageId):void 0;d&&i("earlier",d.start,d.end??d.start,g.number,mi(d.state))}let l=E(e.startTime);if(l===void 0)return a;let c=E(t?.startTime);c!==void 0&&i("waiting",c,l,n.attempt,!1);let m=E(e.endTime);i("running",l,m??s,n.attempt,mi(e.state));let p=m===void 0?bu(e,n,l,s):void 0;return p!==void 0&&i("expected",s,p,n.attempt,!1),a}function eo(e,t){let n=to(e,t);return n===void 0?void 0:t+n*1e3}function to(e,t){return yi(e,e.estimate?.remainingP50,t)}function bi(e,t){return yi(e,e.estimate?.remainingP90,t)}function yi(e,t,n){if(!t||_(e))return;let r=Math.max(n-(E(e.estimate?.asOf)??n),0)/1e3;return Math.max(ea(t)-r,0)}function bu(e,t,n,r){let o=eo(t,r);if(!(o===void 0||!e.fractionKnown||e.fraction<.05))return Math.min(o,r+(r-n)*(1-e.fraction)/e.fraction)}function mi(e){return e===4||e===6}function Ei(e,t){let n=r=>Math.min(Math.max((r-t.start)/(t.end-t.start),0),1);return(r,o,s,a,i)=>{(s>o||r==="running")&&e.push({part:r,from:n(o),to:Math.max(n(o),n(s)),attempt:a,broken:i})}}function yu(e,t){return t<1?`${e.toFixed(1)} s`:e===0?"0:00":w(e).replace(/^0(\d:)/,"$1")}var Si={ATTRIBUTE:1,CHILD:2,PROPERTY:3,BOOLEAN_ATTRIBUTE:4,EVENT:5,ELEMENT:6},bn=e=>(...t)=>({_$litDirective$:e,values:t}),Ue=class{constructor(t){}get _$AU(){return this._$AM._$AU}_$AT(t,n,r){this._$Ct=t,this._$AM=n,this._$Ci=r}_$AS(t,n){return this.update(t,n)}update(t,n){return this.render(...n)}};var no=class extends Ue{#e={};render(t){return J}update(t,[n]){let{style:r}=t.element;for(let o of Object.keys(this.#e))o in n||r.removeProperty(o);for(let[o,s]of Object.entries(n))s!==this.#e[o]&&(s===void 0?r.removeProperty(o):r.setProperty(o,s));return this.#e=n,J}},W=bn(no);function vi(e,t,n){let{word:r,shape:o}=L(t.state),s=Math.max(t.retryPolicy?.maxAttempts??1,1),a=t.attempt>1||s>1?` \xB7 attempt ${Math.max(t.attempt,1)} of ${Math.max(s,t.attempt)}`:"";return f`<header part="header">
    <h1 class="foreign" part="kind">
      <span class=${o}>${F(o)}</span> ${S(t.kind,64)}
    </h1>
    <span class="state ${o}" part="state">${r}${a}</span>
    ${n}
    <p class="facts muted">
      <span class="mono foreign" title=${t.jobId}>${et(t.jobId,24)}</span
      ><milepost-copy .text=${t.jobId} .label=${"copy the job's id"}></milepost-copy>
      ${t.owner?f`<span>owner <span class="foreign value">${S(t.owner,128)}</span></span>`:b}
      ${Object.entries(t.labels).map(([i,l])=>f`<span class="label foreign" title="label">${S(i)}=${S(l)}</span>`)}
      ${t.parentJobId?f`<span>part of <a class="mono" href=${e.server.jobAddress(t.parentJobId)}>${et(t.parentJobId)}</a></span>`:b}
      ${t.workerId&&wr(t)?f`<span>worker <span class="mono foreign value">${S(t.workerId,64)}</span></span>`:b}
    </p>
  </header>`}function xi(e,t,n,r){let{shape:o}=L(e.state),s=Se(e);return f`<section class="progress" part="progress">
    <div class="numbers">
      <span class="percent">${Ii(e)}</span>
      <span class="left" part="remaining">${r?b:Su(e,n)}</span>
    </div>
    ${Eu(e,t,s,o)}
    <div class="numbers muted">
      <span part="elapsed" title=${Iu(e)}>${xu(e,n)}</span>
      <span>${r?b:vu(e,n)}</span>
    </div>
  </section>`}function Eu(e,t,n,r){let o=!n&&wr(e);return f`<div
    class="bar ${r} ${o?"unknown moving":""}"
    part="bar"
    role="progressbar"
    aria-label=${`progress of ${S(e.kind,64)}`}
    aria-valuemin="0"
    aria-valuemax="100"
    aria-valuenow=${n?se(e.fraction):b}
    aria-valuetext=${[Ii(e),L(e.state).word].filter(Boolean).join(", ")}
    ${W({"--fraction":`${t.fraction}`,"--seconds":`${t.seconds}s`})}
  >
    <div class="fill" part="fill"></div>
  </div>`}function Ii(e){if(Se(e))return tt(e.fraction);let t=e.stages.filter(n=>!n.parentStageId&&qr(n)).length;return t?`${ce(t,"stage")} done`:""}function Su(e,t){let n=to(e,t);return n===void 0?"":n<1?"about to end":`about ${w(n)} left`}function vu(e,t){let n=bi(e,t);return n===void 0||!e.estimate?"":`at most ${w(n)} \xB7 from ${ce(e.estimate.sampleSize,e.estimate.basis===3?"measurement":"run")}`}function xu(e,t){let n=E(e.submitTime)??t,r=E(e.firstStartTime),o=E(e.endTime),s=((r??o??t)-n)/1e3;if(r===void 0)return`${w(s)} in the queue`;let a=((o??t)-r)/1e3;return`${o===void 0?`${w(a)} elapsed`:`took ${le(a)}`} \xB7 ${w(s)} in the queue`}function Iu(e){return[["submitted",E(e.submitTime)],["started",E(e.firstStartTime)],["attempt started",e.attempt>1?E(e.startTime):void 0],["ended",E(e.endTime)]].flatMap(([n,r])=>r===void 0?[]:[`${n} ${z(r)}`]).join(`
`)}function Ai(e,t,n){let r=aa(t),{shape:o}=L(t.state),s=li(t,n);return f`
    ${t.state===1?f`<p class="notice ${za(e.waiting)?"attention":""}" part="waiting">
            <span class="waiting">${F("waiting")}</span>
            <span class="foreign">${Qa(t,e.waiting,e.place,n)}</span>
          </p>`:b}
    ${t.state===1&&t.failure?f`<p class="notice bad">
            <span class="failed">${F("failed")}</span>
            <span class="foreign"
              >attempt ${t.attempt} ended: ${S(t.failure.message,1e3)||t.failure.code}</span
            >
          </p>`:b}
    ${s.length?f`<ol class="notice steps" part="cancellation" aria-label="cancellation">
            ${s.map(({name:a,at:i,text:l})=>f`<li
                  class=${i===void 0?"muted":a==="forced"?"failed":""}
                  title=${i===void 0?"":z(i)}
                >
                  ${F(i===void 0?"waiting":a==="forced"?"failed":"succeeded")}
                  <span class="foreign">${l}</span>
                </li>`)}
            ${t.cancellation?.reason?f`<li class="reason foreign">“${S(t.cancellation.reason,500)}”</li>`:b}
          </ol>`:b}
    ${r?f`<section
            class="notice ending ${t.state===5||t.state===7?"bad":""}"
            part="ending"
          >
            <span class=${o}>${F(o)}</span>
            <div>
              <p class="headline foreign">
                ${r.headline}
                ${t.failure?f`<code class="muted">${t.failure.code}</code>`:b}
              </p>
              ${t.message&&t.message!==t.failure?.message?f`<p class="foreign">${S(t.message,1e3)}</p>`:b}
              <p class="muted">${r.next}</p>
              ${t.failure?.detail?f`<details>
                      <summary>detail</summary>
                      <pre class="foreign mono" tabindex="0" aria-label="detail of the failure">
${j(t.failure.detail)}</pre>
                    </details>`:b}
            </div>
          </section>`:b}
  `}function wi(e,t){let n=_(e)?void 0:di(e.stages);if(!n)return b;let r=E(n.startTime);return f`<p class="current" part="stage">
    <span class="running">${F("running")}</span>
    <span class="cut foreign">${S(n.title||n.stageId)}</span>
    <span class="muted">${n.fractionKnown?tt(n.fraction):""}</span>
    <span class="muted" title=${r===void 0?"":`since ${Y(r)}`}
      >${r===void 0?"":w((t-r)/1e3)}</span
    >
  </p>`}var Ni=G`
  :host {
    container-type: inline-size;
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
  .state {
    margin-inline-end: auto;
    font-weight: 500;
  }
  .facts {
    flex-basis: 100%;
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
  .current {
    display: flex;
    gap: 8px;
    align-items: baseline;
    margin: 0 0 12px;
  }
  .stages {
    margin: 0 -8px 16px;
  }
  [role="tablist"] {
    display: flex;
    gap: 4px;
    border-bottom: 1px solid var(--_line);
    overflow-x: auto;
  }
  [role="tab"] {
    border-radius: var(--_radius) var(--_radius) 0 0;
    padding: 4px 10px;
    border-bottom: 2px solid transparent;
    color: var(--_muted);
    white-space: nowrap;
    outline-offset: -2px;
  }
  [role="tab"][aria-selected="true"] {
    color: var(--_text);
    border-bottom-color: var(--_accent);
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
  th {
    color: var(--_muted);
    font-weight: 400;
    font-size: 12px;
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
`;var ro=class{#e=new Ge;#t;add(t){let n=this.#e.add(t);return this.#t??=setInterval(()=>{document.hidden||this.#e.notify()},1e3),()=>{n(),!(this.#e.count>0)&&(clearInterval(this.#t),this.#t=void 0)}}},yn=new ro;var ue=class extends V{static properties={store:{attribute:!1}};#e;#t;#n;connectedCallback(){super.connectedCallback(),this.#n=yn.add(()=>{this.store?.isMoving&&this.requestUpdate()}),this.#r()}disconnectedCallback(){super.disconnectedCallback(),this.#n?.(),this.#t?.(),this.#e=void 0}willUpdate(t){this.isConnected&&this.#r()}changed(){this.requestUpdate()}#r(){this.store!==this.#e&&(this.#t?.(),this.#e=this.store,this.#t=this.store?.subscribe(()=>{this.changed()}))}};var Ri=640,En=class extends ue{static properties={jobId:{attribute:"job-id"},server:{},log:{},cancel:{type:Boolean},compact:{type:Boolean},tab:{state:!0},narrow:{state:!0},stageId:{state:!0},said:{state:!0}};static styles=[Z,Ni];#e=new _e;#t;#n=!1;#r=new ResizeObserver(([t])=>{this.narrow=(t?.contentRect.width??Ri)<Ri});constructor(){super(),this.jobId=this.server=this.stageId=this.said="",this.log="off",this.cancel=this.compact=!1,this.tab="log",this.narrow=!1}connectedCallback(){super.connectedCallback(),this.#r.observe(this)}disconnectedCallback(){super.disconnectedCallback(),this.#r.disconnect()}askToCancel(){this.#i&&this.renderRoot.querySelector("milepost-cancel-sheet")?.open()}get stages(){return this.renderRoot.querySelector("milepost-stages-view")}get logView(){return this.renderRoot.querySelector("milepost-log-view")}show(t){this.tab=t}willUpdate(t){(t.has("jobId")||t.has("server"))&&this.jobId&&(this.store=dn(this.server).job(this.jobId)),super.willUpdate(t)}changed(){super.changed();let t=this.store?.job;t&&(this.#m(t),this.dispatchEvent(new CustomEvent("milepost-change",{detail:{job:t},bubbles:!0,composed:!0})),!(!_(t)||this.#n)&&(this.#n=!0,this.dispatchEvent(new CustomEvent("milepost-end",{detail:{job:t},bubbles:!0,composed:!0}))))}render(){let{store:t}=this,n=t?.job;if(!t||!n)return this.#s();let{now:r}=t,o=sa(t.connection,r),s=!this.narrow&&!this.compact;return f`<article part="job">
      ${o?f`<p class="notice attention" part="stale">${o}</p>`:b}
      ${vi(t,n,this.#o(n))}
      ${xi(n,this.#e.update(n.fraction,n.attempt,r),r,o!=="")}
      ${Ai(t,n,r)}
      ${s?f`<section class="stages" @milepost-select=${this.#p}>${this.#a()}</section>`:wi(n,r)}
      ${this.log==="tail"?f`<milepost-log-view tail .store=${t}></milepost-log-view>`:b}
      ${this.log==="full"?this.#l(n,s):b}
      <p class="hidden-text" role="status">${this.said}</p>
      <milepost-cancel-sheet .store=${t}></milepost-cancel-sheet>
    </article>`}#s(){let t=this.store?.connection;return t?.state==="missing"?f`<p class="notice bad" role="alert">
        There is no job ${this.jobId}, or it is not yours to see.
      </p>`:t?.error?f`<p class="notice attention" role="alert">
        ${this.jobId} cannot be shown yet: ${t.error}
      </p>`:f`<p class="muted">loading…</p>`}#o(t){return!this.cancel||_(t)?b:f`<button
      part="cancel"
      ?disabled=${!this.#i}
      @click=${()=>{this.askToCancel()}}
    >
      ${t.state===3?"Cancel sooner\u2026":"Cancel\u2026"}
    </button>`}get#i(){let t=this.store?.job;return this.cancel&&t!==void 0&&!_(t)}#a(){return f`<milepost-stages-view
      exportparts="stage, track"
      ?narrow=${this.narrow}
      .store=${this.store}
    ></milepost-stages-view>`}#l(t,n){let o=[["log","log",!0],["stages",`stages (${t.stages.length})`,!n&&t.stages.length>0],["artifacts",`artifacts (${t.artifacts.length})`,t.artifacts.length>0],["result","result",t.result!==void 0],["input","input",t.input!==void 0],["attempts",`attempts (${t.attempt})`,t.attempt>0],["children","children",(this.store?.children.length??0)>0],["raw","raw",!0]].filter(([,,a])=>a),s=o.some(([a])=>a===this.tab)?this.tab:"log";return f`<section class="details">
      <div role="tablist" aria-label="details" @keydown=${this.#d}>
        ${o.map(([a,i])=>f`<button
              role="tab"
              id="tab-${a}"
              class="plain"
              aria-selected=${a===s}
              aria-controls="panel"
              tabindex=${a===s?0:-1}
              @click=${()=>{this.tab=a}}
            >
              ${i}
            </button>`)}
      </div>
      <div role="tabpanel" id="panel" aria-labelledby="tab-${s}">${this.#c(s,t)}</div>
    </section>`}#c(t,n){let{store:r}=this,o=r?.now??0;switch(t){case"log":return f`<milepost-log-view .stageId=${this.stageId} .store=${r}></milepost-log-view>`;case"stages":return this.#a();case"artifacts":return oi(n.artifacts);case"result":return hn(n.result,"result");case"input":return hn(n.input,"input");case"attempts":return ai(r?.attempts??[],o);case"children":return ii(r?.children??[],r?.hasMoreChildren??!1,s=>r?.server.jobAddress(s)??"",o);case"raw":return si(n)}}#d=t=>{let n={ArrowRight:1,ArrowLeft:-1}[t.key];if(n===void 0)return;let r=[...this.renderRoot.querySelectorAll("[role=tab]")],o=r.findIndex(a=>a.getAttribute("aria-selected")==="true"),s=r[(o+n+r.length)%r.length];s?.click(),s?.focus(),t.preventDefault()};#p=t=>{this.stageId=t.detail.stageId};#m(t){let n=this.#t?ia(this.#t,t):"";this.#t=Nr(t),n&&(this.said=n)}};var Au=1500,Sn=class extends V{static properties={text:{},label:{},done:{state:!0}};static styles=[Z,G`
      :host {
        display: inline-block;
      }
      button.plain {
        color: var(--_muted);
      }
    `];constructor(){super(),this.text="",this.label="copy",this.done=""}render(){return f`<button
        class="plain"
        part="button"
        title=${this.label}
        aria-label=${this.label}
        @click=${this.#e}
      >
        <slot></slot>${ri()}</button
      ><span role="status" class=${this.done?"":"hidden-text"}>${this.done}</span>`}#e=async()=>{try{await navigator.clipboard.writeText(this.text),this.done="copied"}catch{this.done="The browser does not allow copying."}setTimeout(()=>{this.done=""},Au)}};var{I:wu}=wo,Ti=e=>e;var ki=()=>document.createComment(""),Ve=(e,t,n)=>{let r=e._$AA.parentNode,o=t===void 0?e._$AB:t._$AA;if(n===void 0){let s=r.insertBefore(ki(),o),a=r.insertBefore(ki(),o);n=new wu(s,a,e,e.options)}else{let s=n._$AB.nextSibling,a=n._$AM,i=a!==e;if(i){let l;n._$AQ?.(e),n._$AM=e,n._$AP!==void 0&&(l=e._$AU)!==a._$AU&&n._$AP(l)}if(s!==o||i){let l=n._$AA;for(;l!==s;){let c=Ti(l).nextSibling;Ti(r).insertBefore(l,o),l=c}}}return n},de=(e,t,n=e)=>(e._$AI(t,n),e),Nu={},_i=(e,t=Nu)=>e._$AH=t,$i=e=>e._$AH,vn=e=>{e._$AR(),e._$AA.remove()};var Ci=(e,t,n)=>{let r=new Map;for(let o=t;o<=n;o++)r.set(e[o],o);return r},xn=bn(class extends Ue{constructor(e){if(super(e),e.type!==Si.CHILD)throw Error("repeat() can only be used in text expressions")}dt(e,t,n){let r;n===void 0?n=t:t!==void 0&&(r=t);let o=[],s=[],a=0;for(let i of e)o[a]=r?r(i,a):a,s[a]=n(i,a),a++;return{values:s,keys:o}}render(e,t,n){return this.dt(e,t,n).values}update(e,[t,n,r]){let o=$i(e),{values:s,keys:a}=this.dt(t,n,r);if(!Array.isArray(o))return this.ut=a,s;let i=this.ut??=[],l=[],c,m,p=0,g=o.length-1,d=0,h=s.length-1;for(;p<=g&&d<=h;)if(o[p]===null)p++;else if(o[g]===null)g--;else if(i[p]===a[d])l[d]=de(o[p],s[d]),p++,d++;else if(i[g]===a[h])l[h]=de(o[g],s[h]),g--,h--;else if(i[p]===a[h])l[h]=de(o[p],s[h]),Ve(e,l[h+1],o[p]),p++,h--;else if(i[g]===a[d])l[d]=de(o[g],s[d]),Ve(e,o[p],o[g]),g--,d++;else if(c===void 0&&(c=Ci(a,d,h),m=Ci(i,p,g)),c.has(i[p]))if(c.has(i[g])){let y=m.get(a[d]),x=y!==void 0?o[y]:null;if(x===null){let $=Ve(e,o[p]);de($,s[d]),l[d]=$}else l[d]=de(x,s[d]),Ve(e,o[p],x),o[y]=null;d++}else vn(o[g]),g--;else vn(o[p]),p++;for(;d<=h;){let y=Ve(e,l[h+1]);de(y,s[d]),l[d++]=y}for(;p<=g;){let y=o[p++];y!==null&&vn(y)}return this.ut=a,_i(e,l),J}});var Li=["black","red","green","yellow","blue","magenta","cyan","white"],Ru=/\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])/g;function Gi(e){if(!e.includes("\x1B"))return[{text:j(e),styles:""}];let t=[],n={colour:"",bold:!1,dim:!1,italic:!1,underline:!1},r=0,o=s=>{if(s<=r)return;let{colour:a,...i}=n,l=[a,...Object.entries(i).flatMap(([c,m])=>m?[c]:[])];t.push({text:j(e.slice(r,s)),styles:l.filter(Boolean).join(" ")})};for(let s of e.matchAll(Ru))o(s.index),r=s.index+s[0].length,s[2]==="m"&&Tu(n,s[1]);return o(e.length),t}function Tu(e,t){let n=t.split(";").map(Number);for(let r=0;r<n.length;r++){let o=n[r];o===0?Object.assign(e,{colour:"",bold:!1,dim:!1,italic:!1,underline:!1}):o===1?e.bold=!0:o===2?e.dim=!0:o===3?e.italic=!0:o===4?e.underline=!0:o===22?e.bold=e.dim=!1:o===23?e.italic=!1:o===24?e.underline=!1:o>=30&&o<=37?e.colour=Li[o-30]:o>=90&&o<=97?e.colour=Li[o-90]:o===39?e.colour="":(o===38||o===48)&&(r+=n[r+1]===5?2:4)}}var In=class{#e=[];#t=0;#n=0;get count(){return this.#t}get total(){return this.#n}clear(){this.#e=[],this.#t=this.#n=0}append(t){for(let n of t){let r=this.#e.at(-1);(!r||r.heights.length>=512)&&this.#e.push(r={heights:[],sum:0}),r.heights.push(n),r.sum+=n,this.#n+=n}this.#t+=t.length}prepend(t){let n=[];for(let r=0;r<t.length;r+=512){let o=t.slice(r,r+512);n.push({heights:o,sum:o.reduce((s,a)=>s+a,0)}),this.#n+=n.at(-1).sum}this.#e=n.concat(this.#e),this.#t+=t.length}drop(t){let n=Math.min(t,this.#t);this.#t-=n;let r=0;for(let a of this.#e){if(a.heights.length>n)break;n-=a.heights.length,this.#n-=a.sum,r+=1}this.#e.splice(0,r);let o=this.#e[0];if(!o||!n)return;let s=o.heights.splice(0,n).reduce((a,i)=>a+i,0);o.sum-=s,this.#n-=s}set(t,n){let r=this.#r(t);if(!r)return;let o=n-r.block.heights[r.place];r.block.heights[r.place]=n,r.block.sum+=o,this.#n+=o}get(t){let n=this.#r(t);return n?n.block.heights[n.place]:0}offsetOf(t){let n=this.#r(t);if(!n)return t<0?0:this.#n;let r=n.before;for(let o=0;o<n.place;o++)r+=n.block.heights[o];return r}rowAt(t){let n=0,r=t;for(let{heights:o,sum:s}of this.#e){if(r>=s){r-=s,n+=o.length;continue}for(let a of o){if(r<a)return n;r-=a,n+=1}}return Math.max(this.#t-1,0)}#r(t){if(t<0||t>=this.#t)return;let n=t,r=0;for(let o of this.#e){if(n<o.heights.length)return{block:o,place:n,before:r};n-=o.heights.length,r+=o.sum}}};var An=class{#e=0;#t=0;#n=0;#r=0;get height(){return Math.min(this.#e,8e6)}get top(){return this.#n}get shift(){return this.#r-this.#n}get bottom(){return Math.max(this.#e-this.#t,0)}resize(t,n){this.#e=t,this.#t=n,this.moveTo(this.#n)}moveTo(t){return this.#n=Math.min(Math.max(t,0),this.bottom),this.#r=this.#s(this.#n),this.#r}scrolled(t){let n=t-this.#r;if(this.#e<=8e6)return this.#n=this.#r=t,t;if(Math.abs(n)>this.#t){let s=Math.max(this.height-this.#t,1);return this.moveTo(t/s*this.bottom)}this.#n=Math.min(Math.max(this.#n+n,0),this.bottom),this.#r=t;let r=this.#s(this.#n);return(this.#n===0||this.#n===this.bottom||Math.abs(r-t)>4*this.#t)&&(this.#r=r),this.#r}#s(t){return this.#e<=8e6?t:Math.round(t/Math.max(this.bottom,1)*(this.height-this.#t))}};var Ui=/^[\x20-\x7e]*$/,ku=/[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;function Vi(e,t){let n=Math.max(t,1);if(e.length<=n&&Ui.test(e))return 1;let r=0;for(let o of e.split(`
`))r+=Math.max(Math.ceil(Bi(o)/n),1);return r}function Oi(e,t,n=20){let r=e.split(`
`),o=n,s=0;for(let a of r){let i=Math.max(Math.ceil(Bi(a)/Math.max(t,1)),1);if(i>o)return s+o*Math.max(t,1);if(o-=i,s+=a.length+1,o===0)return Math.min(s,e.length)}return e.length}function Bi(e){if(Ui.test(e))return e.length;let t=0;for(let n of e)n==="	"?t+=4-t%4:t+=ku.test(n)?2:1;return t}var Mi=G`
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
    grid-template-columns: 66px 120px 1fr;
    column-gap: 12px;
    padding: 0 10px;
  }
  .line:hover {
    background: color-mix(in srgb, var(--_muted) 12%, transparent);
  }
  .line time,
  .line .stage {
    color: var(--_muted);
    user-select: none;
  }
  .text {
    white-space: pre-wrap;
    word-break: break-all;
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
    padding: 0 4px;
    color: var(--_accent);
    display: block;
  }
  .without-stages .line {
    grid-template-columns: 66px 1fr;
  }
  .without-stages .line .stage {
    display: none;
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
  @container (max-width: 639px) {
    .line {
      grid-template-columns: 62px 1fr;
      column-gap: 8px;
      padding: 0 6px;
    }
    .line .stage {
      display: none;
    }
  }
`;var pe=19,Di=100,oo=12,$u=2,wn=class extends ue{static properties={follow:{type:Boolean,reflect:!0},tail:{type:Boolean,reflect:!0},stageId:{attribute:!1},severity:{state:!0},text:{state:!0}};static styles=[Z,Mi];#e=new In;#t=new An;#n=80;#r=7.5;#s=new Set;#o={first:void 0,count:0,columns:0,filter:void 0};#i=new ResizeObserver(()=>{this.#y()});constructor(){super(),this.follow=!0,this.tail=!1,this.stageId="",this.severity=1,this.text=""}search(){this.renderRoot.querySelector("input")?.focus()}connectedCallback(){super.connectedCallback(),this.updateComplete.then(()=>{let t=this.#u;t&&this.#i.observe(t)})}disconnectedCallback(){super.disconnectedCallback(),this.#i.disconnect()}willUpdate(t){super.willUpdate(t);let n=this.store?.log.lines;if(!n)return;["stageId","severity","text"].some(o=>t.has(o))&&n.setFilter({stageIds:this.#I(),severity:this.severity,text:this.text}),this.#m(),n.isFiltering&&requestAnimationFrame(()=>{n.continueFiltering(),this.requestUpdate()})}render(){return f`${this.tail?b:this.#a()}
      <div
        class="view ${this.store?.log.lines.hasStages?"":"without-stages"}"
        part="log"
        role="log"
        aria-live="off"
        aria-label="log"
        tabindex="0"
        @scroll=${this.#E}
        @wheel=${this.#S}
      >
        <span class="probe" aria-hidden="true">${"0".repeat(Di)}</span>
        <div class="area">${this.#d()}</div>
      </div>
      ${this.#c()}`}#a(){let t=this.store?.job?.stages??[];return f`<div class="controls">
      <select aria-label="stage of the lines" .value=${this.stageId} @change=${this.#w}>
        <option value="">all stages</option>
        ${t.map(n=>f`<option value=${n.stageId} ?selected=${n.stageId===this.stageId}>
              ${"\u2002".repeat(Cu(n,t))}${S(n.title||n.stageId,60)}
            </option>`)}
      </select>
      <select aria-label="least severity of the lines" @change=${this.#N}>
        ${[1,2,3,4].map(n=>f`<option value=${n} ?selected=${n===this.severity}>
              ${Ft(n)}${n===4?"":" +"}
            </option>`)}
      </select>
      <input
        type="search"
        placeholder="filter…  /"
        aria-label="filter the lines by text"
        .value=${this.text}
        @input=${this.#R}
      />
      <span class="muted count" role="status">${this.#l()}</span>
      <button
        aria-pressed=${this.follow}
        @click=${this.toggleFollow}
        title="keep the newest line in sight (f)"
      >
        ${this.follow?"following":"follow"}
      </button>
    </div>`}#l(){let t=this.store?.log;if(!t?.isLoaded)return"";let{lines:n}=t,r=t.hasOlder?"+":"",o=`${B(n.size)}${r} ${n.size===1?"line":"lines"}`;return n.isFiltering?`filtering ${o}\u2026`:n.shown.length===n.size?o:`${B(n.shown.length)} of ${o}`}#c(){let t=this.store?.log;return t?.error?f`<p class="notice failed" role="alert">
        The log could not be loaded: ${t.error} <button @click=${this.#h}>try again</button>
      </p>`:!t?.isLoaded||t.lines.size===0&&t.isLoading?f`<p class="notice muted">loading…</p>`:t.lines.size===0&&t.hasOlder?f`<p class="notice muted">
        no lines among the newest events <button @click=${this.#h}>look further back</button>
      </p>`:t.lines.size===0&&this.store?.isCaughtUp?f`<p class="notice muted">no log lines${this.store.isEnded?"":" yet"}</p>`:t.lines.size===0?f`<p class="notice muted">loading…</p>`:t.lines.shown.length===0&&!t.lines.isFiltering?f`<p class="notice muted">
        none of ${B(t.lines.size)} lines matches <button @click=${this.#T}>show all</button>
      </p>`:b}#d(){let t=this.store;if(!t)return b;let n=t.log.lines.shown;if(n.length===0)return b;let r=Math.floor(this.#t.top/pe),o=Math.max(this.#e.rowAt(r)-oo,0),s=Math.min(this.#e.rowAt(r+this.#x)+oo,n.length-1),a=this.#e.offsetOf(o)*pe+this.#t.shift,i=new Map(t.job?.stages.map(l=>[l.stageId,l.title||l.stageId]));return f`<div class="rows" ${W({transform:`translateY(${a}px)`})}>
      ${xn(n.slice(o,s+1),l=>l.sequence,l=>this.#p(l,i))}
    </div>`}#p(t,n){let o=this.#s.has(t.sequence)?t.text.length:Oi(t.text,this.#n),s=Ft(t.severity);return f`<div class="line ${s}">
      <time title="${z(t.time)} · event ${t.sequence}">${Y(t.time)}</time>
      <span class="stage foreign cut" title=${t.stageId}
        >${S(n.get(t.stageId)??t.stageId,64)}</span
      >
      <span class="text foreign" dir="auto"
        >${s==="info"?b:f`<b class="severity">${s}</b> `}${Gi(t.text.slice(0,o)).map(({text:a,styles:i})=>i?f`<span class=${i}>${a}</span>`:a)}${o<t.text.length?f`<button
                class="plain more"
                @click=${()=>{this.#A(t)}}
              >
                … show all ${B(t.text.length)} characters
              </button>`:b}</span
      >
    </div>`}updated(){let t=this.#u,n=this.renderRoot.querySelector(".area");if(!t||!n)return;if(n.style.height=`${this.#t.height}px`,this.follow){let o=this.#t.moveTo(1/0);Math.abs(t.scrollTop-o)>1&&(t.scrollTop=o)}this.#b();let r=this.store?.log;r?.isLoaded&&!r.isLoading&&!r.error&&r.hasOlder&&this.#t.top<$u*t.clientHeight&&!this.follow&&this.#h()}#m(){let t=this.store?.log.lines;if(!t)return;let{shown:n,filter:r}=t,o=this.#o,s=n[0]?.sequence,a=i=>i.map(l=>this.#g(l));if(o.columns!==this.#n||o.filter!==r||o.first===void 0)this.#e.clear(),this.#e.append(a(n));else{let i=n.findIndex(c=>c.sequence===o.first),l=i;if(i<0)this.#e.clear(),this.#e.append(a(n)),l=0;else if(i>0){this.#e.prepend(a(n.slice(0,i)));let c=this.#e.offsetOf(i)*pe;this.#f(),this.#v(this.#t.top+c)}this.#e.count<n.length&&this.#e.append(a(n.slice(this.#e.count)))}this.#o={first:s,count:n.length,columns:this.#n,filter:r},this.#f()}#g(t){let n=t.severity===2?0:Ft(t.severity).length+1,r=Vi(n?"x".repeat(n)+t.text:t.text,this.#n);return this.#s.has(t.sequence)?r:Math.min(r,21)}#b(){let t=this.store?.log.lines.shown??[],n=Math.max(this.#e.rowAt(Math.floor(this.#t.top/pe))-oo,0),r=!1;this.renderRoot.querySelectorAll(".line").forEach((o,s)=>{if(n+s>=t.length)return;let a=Math.max(Math.round(o.offsetHeight/pe),1);a!==this.#e.get(n+s)&&(this.#e.set(n+s,a),r=!0)}),r&&(this.#f(),this.requestUpdate())}#f(){this.#t.resize(this.#e.total*pe,this.#u?.clientHeight??400)}#y(){let t=this.#u,n=this.renderRoot.querySelector(".probe");n&&(this.#r=n.getBoundingClientRect().width/Di||this.#r);let o=this.renderRoot.querySelector(".text")?.clientWidth??(t?t.clientWidth-200:600);this.#n=Math.max(Math.floor(o/this.#r),10),this.requestUpdate()}#E=()=>{let t=this.#u;if(!t)return;let n=this.#t.scrolled(t.scrollTop);Math.abs(n-t.scrollTop)>1&&(t.scrollTop=n),this.#t.top>=this.#t.bottom-pe&&(this.follow=!0),this.requestUpdate()};#S=t=>{t.deltaY<0&&this.#t.bottom>0&&(this.follow=!1)};toggleFollow=()=>{this.follow=!this.follow};#v(t){let n=this.#u,r=this.#t.moveTo(t);if(n&&!this.follow){let o=this.renderRoot.querySelector(".area");o&&(o.style.height=`${this.#t.height}px`),n.scrollTop=r}}get#u(){return this.renderRoot.querySelector(".view")}get#x(){return Math.ceil((this.#u?.clientHeight??400)/pe)}#I(){if(!this.stageId)return;let t=new Set([this.stageId]);for(let n of this.store?.job?.stages??[])t.has(n.parentStageId)&&t.add(n.stageId);return t}#A(t){this.#s.add(t.sequence),this.#o.columns=0,this.follow=!1,this.requestUpdate()}#w=t=>{this.stageId=t.target.value};#N=t=>{this.severity=Number(t.target.value)};#R=t=>{this.text=t.target.value};#T=()=>{this.stageId=this.text="",this.severity=1};#h=()=>{this.store?.loadOlderLines()}};function Cu(e,t){let n=0,r=t.find(o=>o.stageId===e.parentStageId);for(;r&&n<6;){n+=1;let o=r.parentStageId;r=t.find(s=>s.stageId===o)}return n}var Nn=class extends ue{static properties={narrow:{type:Boolean,reflect:!0},selected:{state:!0}};static styles=[Z,G`
      .row,
      .scale {
        display: grid;
        grid-template-columns: minmax(180px, 30%) 84px 64px 56px 1fr;
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
      }
      .name .amount {
        flex: 0 9999 auto;
        min-width: 0;
        margin-inline-start: auto;
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
      .word {
        font-size: 12px;
      }
      .bar {
        width: var(--weight, 100%);
        min-width: 10px;
      }
      .track {
        position: relative;
        height: 100%;
        min-height: 16px;
        background: repeating-linear-gradient(
          to right,
          var(--_line) 0 1px,
          transparent 1px calc(var(--tick) * 100%)
        );
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
        inset-inline-start: calc(var(--from) * 100%);
        width: max(calc((var(--to) - var(--from)) * 100%), 2px);
        border-radius: 2px;
        background: currentColor;
      }
      .segment.part-waiting {
        background: repeating-linear-gradient(90deg, currentColor 0 1px, transparent 1px 4px);
        opacity: 0.75;
        color: var(--_muted);
        height: 6px;
        top: calc(50% - 3px);
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
      .rest button {
        color: inherit;
      }
      .legend {
        display: flex;
        gap: 16px;
        color: var(--_muted);
        font-size: 12px;
        padding: 4px 8px 0;
        flex-wrap: wrap;
        justify-content: end;
      }
      .legend i {
        position: relative;
        display: inline-block;
        width: 20px;
        height: 10px;
        vertical-align: middle;
        margin-inline-end: 4px;
      }
      .legend .segment {
        --from: 0;
        --to: 1;
      }
      :host([narrow]) .row,
      :host([narrow]) .scale {
        grid-template-columns: 1fr 44px 52px;
      }
      :host([narrow]) .row {
        padding-block: 2px 4px;
      }
      :host([narrow]) .weight-cell {
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
    `];#e=new Map;#t=new Map;#n=[];constructor(){super(),this.narrow=!1,this.selected=""}move(t){let n=this.#n.findIndex(o=>o.key===this.selected),r=this.#n[Math.min(Math.max(n+t,0),this.#n.length-1)];r&&this.#a(r.key)}toggle(t=this.selected){let n=this.#n.find(r=>r.key===t);!n||n.open===void 0||(this.#e=new Map(this.#e).set(n.key,!n.open),this.requestUpdate())}render(){let{store:t}=this,n=t?.job;if(!t||!n?.stages.length)return b;let{now:r,attempts:o}=t,s=fi(n,r);this.#n=ci(n.stages,this.#e);let a=new Map(n.stages.map(c=>[c.stageId,c])),i=Uu(n.stages),l=this.#n.some(c=>c.key===this.selected)?this.selected:this.#n[0]?.key;return f`
      <div class="scale" aria-hidden="true">
        <span>stages</span><span class="weight-cell"></span><span></span><span></span>
        <div class="ticks">
          ${s.ticks.map(({at:c,label:m})=>f`<span ${W({"--at":`${c}`})}>${m}</span>`)}
        </div>
      </div>
      ${this.#r(n,o,s,r)}
      <div role="tree" aria-label="stages" @keydown=${this.#l}>
        ${xn(this.#n,c=>c.key,c=>c.type==="rest"?this.#i(c,c.key===l):this.#s(c,a,i,n,o,s,r,c.key===l))}
      </div>
    `}#r(t,n,r,o){return f`<div class="row" aria-hidden="true">
      <span class="name muted" ${W({"--depth":"0"})}>whole job</span><span class="weight-cell"></span
      ><span></span
      ><span class="number muted">${w(((E(t.endTime)??o)-r.start)/1e3)}</span>
      ${Fi(hi(t,n,r,o),r,L(t.state).shape)}
    </div>`}#s(t,n,r,o,s,a,i,l){let{stage:c}=t,{word:m,shape:p}=nt(c.state),g=S(c.title||c.stageId),d=t.inner?`${t.innerDone} of ${t.inner}`:ra(c.current,c.total,c.unit),h=c.state===2?c.fractionKnown?tt(c.fraction):"":m,y=S(c.failure?.message||c.message),x=gi(c,n.get(c.parentStageId),o,s,a,i),$=Lu(c,i);return f`<div
      class="row"
      part="stage"
      role="treeitem"
      tabindex=${l?0:-1}
      data-key=${t.key}
      aria-level=${t.depth+1}
      aria-expanded=${t.open??b}
      aria-selected=${t.key===this.selected}
      aria-label=${[g,m,h===m?"":h,d,$,y].filter(Boolean).join(", ")}
      title=${Gu(c,m)}
      @click=${()=>{this.#a(t.key),t.inner&&this.toggle(t.key)}}
    >
      <span class="name" ${W({"--depth":`${Math.min(t.depth,12)}`})}>
        ${t.open===void 0?b:jr(t.open)}<span class=${p}
          >${F(p)}</span
        >
        <span class="cut foreign ${p==="waiting"||p==="skipped"?"muted":""}">${g}</span>
        <span class="amount cut foreign"
          >${d}${y?f` <span class=${c.failure?"failed":""}>${y}</span>`:b}</span
        >
      </span>
      <span class="weight-cell ${p}"
        >${this.#o(c,r.get(c.parentStageId)??1,o.attempt,i)}</span
      >
      <span class="number ${p==="running"?"":p==="failed"?"failed":"muted word"}"
        >${h}</span
      >
      <span class="number muted">${$}</span>
      ${Fi(x,a,p)}
    </div>`}#o(t,n,r,o){let s=(t.weight??1)/(n||1),a=!t.fractionKnown&&t.state===2,i=this.#t.get(t.stageId);i||this.#t.set(t.stageId,i=new _e);let{fraction:l,seconds:c}=i.update(t.fraction,r,o);return f`<div
      class="bar ${a?"unknown moving":""}"
      ${W({"--weight":`${Math.max(s*100,16).toFixed(1)}%`,"--fraction":`${l}`,"--seconds":`${c}s`})}
    >
      <div class="fill"></div>
    </div>`}#i(t,n){let r=ui(t.hidden).map(([s,a])=>`${a} ${nt(s).word}`),o=t.open?"show fewer":`${t.hidden.length} more: ${r.join(", ")}`;return f`<div
      class="row rest"
      role="treeitem"
      tabindex=${n?0:-1}
      data-key=${t.key}
      aria-level=${t.depth+1}
      aria-expanded=${t.open}
      aria-selected=${t.key===this.selected}
      @click=${()=>{this.#a(t.key),this.toggle(t.key)}}
    >
      <span class="name" ${W({"--depth":`${Math.min(t.depth,12)}`})}
        >${jr(t.open)}<span class="cut">${o}</span></span
      >
    </div>`}#a(t){this.selected=t,this.updateComplete.then(()=>{this.renderRoot.querySelector('[aria-selected="true"]')?.focus()});let n=this.#n.find(o=>o.key===t),r=n?.type==="stage"?n.stage.stageId:"";this.dispatchEvent(new CustomEvent("milepost-select",{detail:{stageId:r},bubbles:!0,composed:!0}))}#l=t=>{let n=this.#n.find(s=>s.key===this.selected),o={ArrowDown:1,ArrowUp:-1,Home:-1/0,End:1/0}[t.key];if(o!==void 0)this.move(o);else if(t.key==="ArrowRight"&&n?.open===!1)this.toggle();else if(t.key==="ArrowLeft"&&n?.open)this.toggle();else if(t.key===" ")this.toggle();else return;t.preventDefault()};updated(t){let n=new Set(this.store?.job?.stages.map(r=>r.stageId));for(let r of this.#t.keys())n.has(r)||this.#t.delete(r)}};function Fi(e,t,n="running"){let r=t.ticks[1]?.at??1;return f`<div
    class="track ${n}"
    part="track"
    aria-hidden="true"
    ${W({"--tick":`${r}`,"--now":`${t.now??0}`})}
  >
    ${t.now===void 0?b:f`<div class="now"></div>`}
    ${e.map(({part:o,from:s,to:a,broken:i,attempt:l})=>f`<div
          class="segment part-${o} ${i?"broken":""}"
          title=${o==="earlier"?`attempt ${l}`:o}
          ${W({"--from":s.toFixed(5),"--to":a.toFixed(5)})}
        ></div>`)}
  </div>`}function Lu(e,t){let n=E(e.startTime);if(n===void 0)return"";let r=E(e.endTime);return r===void 0?w((t-n)/1e3):le((r-n)/1e3)}function Gu(e,t){let n=E(e.startTime),r=E(e.endTime);return[`${S(e.title||e.stageId)} (${e.stageId}): ${t}`,e.fractionKnown?`${se(e.fraction)} %`:"",e.weight===void 0?"":`weight ${e.weight}`,n===void 0?"":`started ${z(n)}`,r===void 0?"":`ended ${z(r)}`,S(e.message)].filter(Boolean).join(`
`)}function Uu(e){let t=new Map;for(let{parentStageId:n,weight:r}of e)t.set(n,Math.max(t.get(n)??0,r??1));return t}var Yi={};Ki(Yi,{KEYS:()=>ct,Keyboard:()=>Rn,LitElement:()=>V,chipIcon:()=>ni,chipOf:()=>Ir,count:()=>ce,css:()=>G,grouped:()=>B,html:()=>f,isForeignKey:()=>Ji,isKnown:()=>Se,jobLook:()=>L,nothing:()=>b,oneLine:()=>S,serverAt:()=>dn,sharedStyles:()=>Z,shortId:()=>et,stateIcon:()=>F,ticker:()=>yn,wholePercent:()=>se});var ct=[["/","search","search the log, or the list"],["j","next","next stage or job"],["k","previous","previous stage or job"],["Enter","toggle","fold or unfold the stage, open the job"],["f","follow","follow the log"],["c","cancel","cancel the job"],["g l","list","go to the list"],["?","help","show or hide these keys"],["Escape","close","close what is open"]];var Rn=class{#e="";#t=0;press(t,n){let r=n-this.#t<=1500?this.#e:"";this.#e="";let o=r?`${r} ${t}`:t,s=ct.find(([a])=>a===o)??ct.find(([a])=>a===t);if(s)return s[1];ct.some(([a])=>a.startsWith(`${t} `))&&(this.#e=t,this.#t=n)}};function Ji(e){if(e.ctrlKey||e.metaKey||e.altKey||e.defaultPrevented||e.isComposing)return!0;let t=e.composedPath()[0];return!(t instanceof Element)||e.key==="Escape"?!1:t.matches("input, textarea, select, [contenteditable]")?!0:e.key==="Enter"&&t.matches("button, a, summary, [role=tab]")}var Vu=[["milepost-copy",Sn],["milepost-cancel-sheet",pn],["milepost-log-view",wn],["milepost-stages-view",Nn],["milepost-job",En]];for(let[e,t]of Vu)customElements.get(e)||customElements.define(e,t);export{En as MilepostJob,Yi as pageParts,au as setDefaultServer};
/*! For license information please see elements.js.LEGAL.txt */
