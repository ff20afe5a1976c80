var Pd=Object.defineProperty;var Yd=(t,e)=>{for(var n in e)Pd(t,n,{get:e[n],enumerable:!0})};var fn=globalThis,hn=fn.ShadowRoot&&(fn.ShadyCSS===void 0||fn.ShadyCSS.nativeShadow)&&"adoptedStyleSheets"in Document.prototype&&"replace"in CSSStyleSheet.prototype,mo=Symbol(),ti=new WeakMap,Tt=class{constructor(e,n,r){if(this._$cssResult$=!0,r!==mo)throw Error("CSSResult is not constructable. Use `unsafeCSS` or `css` instead.");this.cssText=e,this.t=n}get styleSheet(){let e=this.o,n=this.t;if(hn&&e===void 0){let r=n!==void 0&&n.length===1;r&&(e=ti.get(n)),e===void 0&&((this.o=e=new CSSStyleSheet).replaceSync(this.cssText),r&&ti.set(n,e))}return e}toString(){return this.cssText}},ni=t=>new Tt(typeof t=="string"?t:t+"",void 0,mo),L=(t,...e)=>{let n=t.length===1?t[0]:e.reduce((r,o,s)=>r+(i=>{if(i._$cssResult$===!0)return i.cssText;if(typeof i=="number")return i;throw Error("Value passed to 'css' function must be a 'css' function result: "+i+". Use 'unsafeCSS' to pass non-literal values, but take care to ensure page security.")})(o)+t[s+1],t[0]);return new Tt(n,t,mo)},ri=(t,e)=>{if(hn)t.adoptedStyleSheets=e.map(n=>n instanceof CSSStyleSheet?n:n.styleSheet);else for(let n of e){let r=document.createElement("style"),o=fn.litNonce;o!==void 0&&r.setAttribute("nonce",o),r.textContent=n.cssText,t.appendChild(r)}},fo=hn?t=>t:t=>t instanceof CSSStyleSheet?(e=>{let n="";for(let r of e.cssRules)n+=r.cssText;return ni(n)})(t):t;var{is:Zd,defineProperty:Kd,getOwnPropertyDescriptor:Xd,getOwnPropertyNames:jd,getOwnPropertySymbols:Hd,getPrototypeOf:Qd}=Object,gn=globalThis,oi=gn.trustedTypes,zd=oi?oi.emptyScript:"",qd=gn.reactiveElementPolyfillSupport,Ct=(t,e)=>t,ho={toAttribute(t,e){switch(e){case Boolean:t=t?zd:null;break;case Object:case Array:t=t==null?t:JSON.stringify(t)}return t},fromAttribute(t,e){let n=t;switch(e){case Boolean:n=t!==null;break;case Number:n=t===null?null:Number(t);break;case Object:case Array:try{n=JSON.parse(t)}catch{n=null}}return n}},ii=(t,e)=>!Zd(t,e),si={attribute:!0,type:String,converter:ho,reflect:!1,useDefault:!1,hasChanged:ii};Symbol.metadata??=Symbol("metadata"),gn.litPropertyMetadata??=new WeakMap;var he=class extends HTMLElement{static addInitializer(e){this._$Ei(),(this.l??=[]).push(e)}static get observedAttributes(){return this.finalize(),this._$Eh&&[...this._$Eh.keys()]}static createProperty(e,n=si){if(n.state&&(n.attribute=!1),this._$Ei(),this.prototype.hasOwnProperty(e)&&((n=Object.create(n)).wrapped=!0),this.elementProperties.set(e,n),!n.noAccessor){let r=Symbol(),o=this.getPropertyDescriptor(e,r,n);o!==void 0&&Kd(this.prototype,e,o)}}static getPropertyDescriptor(e,n,r){let{get:o,set:s}=Xd(this.prototype,e)??{get(){return this[n]},set(i){this[n]=i}};return{get:o,set(i){let a=o?.call(this);s?.call(this,i),this.requestUpdate(e,a,r)},configurable:!0,enumerable:!0}}static getPropertyOptions(e){return this.elementProperties.get(e)??si}static _$Ei(){if(this.hasOwnProperty(Ct("elementProperties")))return;let e=Qd(this);e.finalize(),e.l!==void 0&&(this.l=[...e.l]),this.elementProperties=new Map(e.elementProperties)}static finalize(){if(this.hasOwnProperty(Ct("finalized")))return;if(this.finalized=!0,this._$Ei(),this.hasOwnProperty(Ct("properties"))){let n=this.properties,r=[...jd(n),...Hd(n)];for(let o of r)this.createProperty(o,n[o])}let e=this[Symbol.metadata];if(e!==null){let n=litPropertyMetadata.get(e);if(n!==void 0)for(let[r,o]of n)this.elementProperties.set(r,o)}this._$Eh=new Map;for(let[n,r]of this.elementProperties){let o=this._$Eu(n,r);o!==void 0&&this._$Eh.set(o,n)}this.elementStyles=this.finalizeStyles(this.styles)}static finalizeStyles(e){let n=[];if(Array.isArray(e)){let r=new Set(e.flat(1/0).reverse());for(let o of r)n.unshift(fo(o))}else e!==void 0&&n.push(fo(e));return n}static _$Eu(e,n){let r=n.attribute;return r===!1?void 0:typeof r=="string"?r:typeof e=="string"?e.toLowerCase():void 0}constructor(){super(),this._$Ep=void 0,this.isUpdatePending=!1,this.hasUpdated=!1,this._$Em=null,this._$Ev()}_$Ev(){this._$ES=new Promise(e=>this.enableUpdating=e),this._$AL=new Map,this._$E_(),this.requestUpdate(),this.constructor.l?.forEach(e=>e(this))}addController(e){(this._$EO??=new Set).add(e),this.renderRoot!==void 0&&this.isConnected&&e.hostConnected?.()}removeController(e){this._$EO?.delete(e)}_$E_(){let e=new Map,n=this.constructor.elementProperties;for(let r of n.keys())this.hasOwnProperty(r)&&(e.set(r,this[r]),delete this[r]);e.size>0&&(this._$Ep=e)}createRenderRoot(){let e=this.shadowRoot??this.attachShadow(this.constructor.shadowRootOptions);return ri(e,this.constructor.elementStyles),e}connectedCallback(){this.renderRoot??=this.createRenderRoot(),this.enableUpdating(!0),this._$EO?.forEach(e=>e.hostConnected?.())}enableUpdating(e){}disconnectedCallback(){this._$EO?.forEach(e=>e.hostDisconnected?.())}attributeChangedCallback(e,n,r){this._$AK(e,r)}_$ET(e,n){let r=this.constructor.elementProperties.get(e),o=this.constructor._$Eu(e,r);if(o!==void 0&&r.reflect===!0){let s=(r.converter?.toAttribute!==void 0?r.converter:ho).toAttribute(n,r.type);this._$Em=e,s==null?this.removeAttribute(o):this.setAttribute(o,s),this._$Em=null}}_$AK(e,n){let r=this.constructor,o=r._$Eh.get(e);if(o!==void 0&&this._$Em!==o){let s=r.getPropertyOptions(o),i=typeof s.converter=="function"?{fromAttribute:s.converter}:s.converter?.fromAttribute!==void 0?s.converter:ho;this._$Em=o;let a=i.fromAttribute(n,s.type);this[o]=a??this._$Ej?.get(o)??a,this._$Em=null}}requestUpdate(e,n,r,o=!1,s){if(e!==void 0){let i=this.constructor;if(o===!1&&(s=this[e]),r??=i.getPropertyOptions(e),!((r.hasChanged??ii)(s,n)||r.useDefault&&r.reflect&&s===this._$Ej?.get(e)&&!this.hasAttribute(i._$Eu(e,r))))return;this.C(e,n,r)}this.isUpdatePending===!1&&(this._$ES=this._$EP())}C(e,n,{useDefault:r,reflect:o,wrapped:s},i){r&&!(this._$Ej??=new Map).has(e)&&(this._$Ej.set(e,i??n??this[e]),s!==!0||i!==void 0)||(this._$AL.has(e)||(this.hasUpdated||r||(n=void 0),this._$AL.set(e,n)),o===!0&&this._$Em!==e&&(this._$Eq??=new Set).add(e))}async _$EP(){this.isUpdatePending=!0;try{await this._$ES}catch(n){Promise.reject(n)}let e=this.scheduleUpdate();return e!=null&&await e,!this.isUpdatePending}scheduleUpdate(){return this.performUpdate()}performUpdate(){if(!this.isUpdatePending)return;if(!this.hasUpdated){if(this.renderRoot??=this.createRenderRoot(),this._$Ep){for(let[o,s]of this._$Ep)this[o]=s;this._$Ep=void 0}let r=this.constructor.elementProperties;if(r.size>0)for(let[o,s]of r){let{wrapped:i}=s,a=this[o];i!==!0||this._$AL.has(o)||a===void 0||this.C(o,void 0,s,a)}}let e=!1,n=this._$AL;try{e=this.shouldUpdate(n),e?(this.willUpdate(n),this._$EO?.forEach(r=>r.hostUpdate?.()),this.update(n)):this._$EM()}catch(r){throw e=!1,this._$EM(),r}e&&this._$AE(n)}willUpdate(e){}_$AE(e){this._$EO?.forEach(n=>n.hostUpdated?.()),this.hasUpdated||(this.hasUpdated=!0,this.firstUpdated(e)),this.updated(e)}_$EM(){this._$AL=new Map,this.isUpdatePending=!1}get updateComplete(){return this.getUpdateComplete()}getUpdateComplete(){return this._$ES}shouldUpdate(e){return!0}update(e){this._$Eq&&=this._$Eq.forEach(n=>this._$ET(n,this[n])),this._$EM()}updated(e){}firstUpdated(e){}};he.elementStyles=[],he.shadowRootOptions={mode:"open"},he[Ct("elementProperties")]=new Map,he[Ct("finalized")]=new Map,qd?.({ReactiveElement:he}),(gn.reactiveElementVersions??=[]).push("2.1.2");var bo=globalThis,ai=t=>t,bn=bo.trustedTypes,li=bn?bn.createPolicy("lit-html",{createHTML:t=>t}):void 0,yo="$lit$",ge=`lit$${Math.random().toFixed(9).slice(2)}$`,vo="?"+ge,eu=`<${vo}>`,Fe=document,_t=()=>Fe.createComment(""),$t=t=>t===null||typeof t!="object"&&typeof t!="function",Eo=Array.isArray,fi=t=>Eo(t)||typeof t?.[Symbol.iterator]=="function",go=`[ 	
\f\r]`,Lt=/<(?:(!--|\/[^a-zA-Z])|(\/?[a-zA-Z][^>\s]*)|(\/?$))/g,ci=/-->/g,di=/>/g,De=RegExp(`>|${go}(?:([^\\s"'>=/]+)(${go}*=${go}*(?:[^ 	
\f\r"'\`<>=]|("|')|))|$)`,"g"),ui=/'/g,pi=/"/g,hi=/^(?:script|style|textarea|title)$/i,wo=t=>(e,...n)=>({_$litType$:t,strings:e,values:n}),f=wo(1),P=wo(2),zf=wo(3),X=Symbol.for("lit-noChange"),h=Symbol.for("lit-nothing"),mi=new WeakMap,Be=Fe.createTreeWalker(Fe,129);function gi(t,e){if(!Eo(t)||!t.hasOwnProperty("raw"))throw Error("invalid template strings array");return li!==void 0?li.createHTML(e):e}var bi=(t,e)=>{let n=t.length-1,r=[],o,s=e===2?"<svg>":e===3?"<math>":"",i=Lt;for(let a=0;a<n;a++){let l=t[a],c,u,m=-1,b=0;for(;b<l.length&&(i.lastIndex=b,u=i.exec(l),u!==null);)b=i.lastIndex,i===Lt?u[1]==="!--"?i=ci:u[1]!==void 0?i=di:u[2]!==void 0?(hi.test(u[2])&&(o=RegExp("</"+u[2],"g")),i=De):u[3]!==void 0&&(i=De):i===De?u[0]===">"?(i=o??Lt,m=-1):u[1]===void 0?m=-2:(m=i.lastIndex-u[2].length,c=u[1],i=u[3]===void 0?De:u[3]==='"'?pi:ui):i===pi||i===ui?i=De:i===ci||i===di?i=Lt:(i=De,o=void 0);let p=i===De&&t[a+1].startsWith("/>")?" ":"";s+=i===Lt?l+eu:m>=0?(r.push(c),l.slice(0,m)+yo+l.slice(m)+ge+p):l+ge+(m===-2?a:p)}return[gi(t,s+(t[n]||"<?>")+(e===2?"</svg>":e===3?"</math>":"")),r]},Mt=class t{constructor({strings:e,_$litType$:n},r){let o;this.parts=[];let s=0,i=0,a=e.length-1,l=this.parts,[c,u]=bi(e,n);if(this.el=t.createElement(c,r),Be.currentNode=this.el.content,n===2||n===3){let m=this.el.content.firstChild;m.replaceWith(...m.childNodes)}for(;(o=Be.nextNode())!==null&&l.length<a;){if(o.nodeType===1){if(o.hasAttributes())for(let m of o.getAttributeNames())if(m.endsWith(yo)){let b=u[i++],p=o.getAttribute(m).split(ge),g=/([.?@])?(.*)/.exec(b);l.push({type:1,index:s,name:g[2],strings:p,ctor:g[1]==="."?vn:g[1]==="?"?En:g[1]==="@"?wn:We}),o.removeAttribute(m)}else m.startsWith(ge)&&(l.push({type:6,index:s}),o.removeAttribute(m));if(hi.test(o.tagName)){let m=o.textContent.split(ge),b=m.length-1;if(b>0){o.textContent=bn?bn.emptyScript:"";for(let p=0;p<b;p++)o.append(m[p],_t()),Be.nextNode(),l.push({type:2,index:++s});o.append(m[b],_t())}}}else if(o.nodeType===8)if(o.data===vo)l.push({type:2,index:s});else{let m=-1;for(;(m=o.data.indexOf(ge,m+1))!==-1;)l.push({type:7,index:s}),m+=ge.length-1}s++}}static createElement(e,n){let r=Fe.createElement("template");return r.innerHTML=e,r}};function Ve(t,e,n=t,r){if(e===X)return e;let o=r!==void 0?n._$Co?.[r]:n._$Cl,s=$t(e)?void 0:e._$litDirective$;return o?.constructor!==s&&(o?._$AO?.(!1),s===void 0?o=void 0:(o=new s(t),o._$AT(t,n,r)),r!==void 0?(n._$Co??=[])[r]=o:n._$Cl=o),o!==void 0&&(e=Ve(t,o._$AS(t,e.values),o,r)),e}var yn=class{constructor(e,n){this._$AV=[],this._$AN=void 0,this._$AD=e,this._$AM=n}get parentNode(){return this._$AM.parentNode}get _$AU(){return this._$AM._$AU}u(e){let{el:{content:n},parts:r}=this._$AD,o=(e?.creationScope??Fe).importNode(n,!0);Be.currentNode=o;let s=Be.nextNode(),i=0,a=0,l=r[0];for(;l!==void 0;){if(i===l.index){let c;l.type===2?c=new tt(s,s.nextSibling,this,e):l.type===1?c=new l.ctor(s,l.name,l.strings,this,e):l.type===6&&(c=new Sn(s,this,e)),this._$AV.push(c),l=r[++a]}i!==l?.index&&(s=Be.nextNode(),i++)}return Be.currentNode=Fe,o}p(e){let n=0;for(let r of this._$AV)r!==void 0&&(r.strings!==void 0?(r._$AI(e,r,n),n+=r.strings.length-2):r._$AI(e[n])),n++}},tt=class t{get _$AU(){return this._$AM?._$AU??this._$Cv}constructor(e,n,r,o){this.type=2,this._$AH=h,this._$AN=void 0,this._$AA=e,this._$AB=n,this._$AM=r,this.options=o,this._$Cv=o?.isConnected??!0}get parentNode(){let e=this._$AA.parentNode,n=this._$AM;return n!==void 0&&e?.nodeType===11&&(e=n.parentNode),e}get startNode(){return this._$AA}get endNode(){return this._$AB}_$AI(e,n=this){e=Ve(this,e,n),$t(e)?e===h||e==null||e===""?(this._$AH!==h&&this._$AR(),this._$AH=h):e!==this._$AH&&e!==X&&this._(e):e._$litType$!==void 0?this.$(e):e.nodeType!==void 0?this.T(e):fi(e)?this.k(e):this._(e)}O(e){return this._$AA.parentNode.insertBefore(e,this._$AB)}T(e){this._$AH!==e&&(this._$AR(),this._$AH=this.O(e))}_(e){this._$AH!==h&&$t(this._$AH)?this._$AA.nextSibling.data=e:this.T(Fe.createTextNode(e)),this._$AH=e}$(e){let{values:n,_$litType$:r}=e,o=typeof r=="number"?this._$AC(e):(r.el===void 0&&(r.el=Mt.createElement(gi(r.h,r.h[0]),this.options)),r);if(this._$AH?._$AD===o)this._$AH.p(n);else{let s=new yn(o,this),i=s.u(this.options);s.p(n),this.T(i),this._$AH=s}}_$AC(e){let n=mi.get(e.strings);return n===void 0&&mi.set(e.strings,n=new Mt(e)),n}k(e){Eo(this._$AH)||(this._$AH=[],this._$AR());let n=this._$AH,r,o=0;for(let s of e)o===n.length?n.push(r=new t(this.O(_t()),this.O(_t()),this,this.options)):r=n[o],r._$AI(s),o++;o<n.length&&(this._$AR(r&&r._$AB.nextSibling,o),n.length=o)}_$AR(e=this._$AA.nextSibling,n){for(this._$AP?.(!1,!0,n);e!==this._$AB;){let r=ai(e).nextSibling;ai(e).remove(),e=r}}setConnected(e){this._$AM===void 0&&(this._$Cv=e,this._$AP?.(e))}},We=class{get tagName(){return this.element.tagName}get _$AU(){return this._$AM._$AU}constructor(e,n,r,o,s){this.type=1,this._$AH=h,this._$AN=void 0,this.element=e,this.name=n,this._$AM=o,this.options=s,r.length>2||r[0]!==""||r[1]!==""?(this._$AH=Array(r.length-1).fill(new String),this.strings=r):this._$AH=h}_$AI(e,n=this,r,o){let s=this.strings,i=!1;if(s===void 0)e=Ve(this,e,n,0),i=!$t(e)||e!==this._$AH&&e!==X,i&&(this._$AH=e);else{let a=e,l,c;for(e=s[0],l=0;l<s.length-1;l++)c=Ve(this,a[r+l],n,l),c===X&&(c=this._$AH[l]),i||=!$t(c)||c!==this._$AH[l],c===h?e=h:e!==h&&(e+=(c??"")+s[l+1]),this._$AH[l]=c}i&&!o&&this.j(e)}j(e){e===h?this.element.removeAttribute(this.name):this.element.setAttribute(this.name,e??"")}},vn=class extends We{constructor(){super(...arguments),this.type=3}j(e){this.element[this.name]=e===h?void 0:e}},En=class extends We{constructor(){super(...arguments),this.type=4}j(e){this.element.toggleAttribute(this.name,!!e&&e!==h)}},wn=class extends We{constructor(e,n,r,o,s){super(e,n,r,o,s),this.type=5}_$AI(e,n=this){if((e=Ve(this,e,n,0)??h)===X)return;let r=this._$AH,o=e===h&&r!==h||e.capture!==r.capture||e.once!==r.once||e.passive!==r.passive,s=e!==h&&(r===h||o);o&&this.element.removeEventListener(this.name,this,r),s&&this.element.addEventListener(this.name,this,e),this._$AH=e}handleEvent(e){typeof this._$AH=="function"?this._$AH.call(this.options?.host??this.element,e):this._$AH.handleEvent(e)}},Sn=class{constructor(e,n,r){this.element=e,this.type=6,this._$AN=void 0,this._$AM=n,this.options=r}get _$AU(){return this._$AM._$AU}_$AI(e){Ve(this,e)}},yi={M:yo,P:ge,A:vo,C:1,L:bi,R:yn,D:fi,V:Ve,I:tt,H:We,N:En,U:wn,B:vn,F:Sn},tu=bo.litHtmlPolyfillSupport;tu?.(Mt,tt),(bo.litHtmlVersions??=[]).push("3.3.3");var vi=(t,e,n)=>{let r=n?.renderBefore??e,o=r._$litPart$;if(o===void 0){let s=n?.renderBefore??null;r._$litPart$=o=new tt(e.insertBefore(_t(),s),s,void 0,n??{})}return o._$AI(t),o};var So=globalThis,Y=class extends he{constructor(){super(...arguments),this.renderOptions={host:this},this._$Do=void 0}createRenderRoot(){let e=super.createRenderRoot();return this.renderOptions.renderBefore??=e.firstChild,e}update(e){let n=this.render();this.hasUpdated||(this.renderOptions.isConnected=this.isConnected),super.update(e),this._$Do=vi(n,this.renderRoot,this.renderOptions)}connectedCallback(){super.connectedCallback(),this._$Do?.setConnected(!0)}disconnectedCallback(){super.disconnectedCallback(),this._$Do?.setConnected(!1)}render(){return X}};Y._$litElement$=!0,Y.finalized=!0,So.litElementHydrateSupport?.({LitElement:Y});var nu=So.litElementPolyfillSupport;nu?.({LitElement:Y});(So.litElementVersions??=[]).push("4.2.2");function Te(t){let e=!1,n=[];for(let r=0;r<t.length;r++){let o=t.charAt(r);switch(o){case"_":e=!0;break;case"0":case"1":case"2":case"3":case"4":case"5":case"6":case"7":case"8":case"9":n.push(o),e=!1;break;default:e&&(e=!1,o=o.toUpperCase()),n.push(o);break}}return n.join("")}var ru=new Set(["constructor","toString","toJSON","valueOf"]);function nt(t){return ru.has(t)?t+"$":t}function wi(){let t=0,e=0;for(let r=0;r<28;r+=7){let o=this.buf[this.pos++];if(t|=(o&127)<<r,(o&128)==0)return this.assertBounds(),[t,e]}let n=this.buf[this.pos++];if(t|=(n&15)<<28,e=(n&112)>>4,(n&128)==0)return this.assertBounds(),[t,e];for(let r=3;r<=31;r+=7){let o=this.buf[this.pos++];if(e|=(o&127)<<r,(o&128)==0)return this.assertBounds(),[t,e]}throw new Error("invalid varint")}function In(t,e,n){for(let s=0;s<28;s=s+7){let i=t>>>s,a=!(!(i>>>7)&&e==0),l=(a?i|128:i)&255;if(n.push(l),!a)return}let r=t>>>28&15|(e&7)<<4,o=e>>3!=0;if(n.push((o?r|128:r)&255),!!o){for(let s=3;s<31;s=s+7){let i=e>>>s,a=!!(i>>>7),l=(a?i|128:i)&255;if(n.push(l),!a)return}n.push(e>>>31&1)}}var xn=4294967296;function xo(t){let e=t[0]==="-";e&&(t=t.slice(1));let n=1e6,r=0,o=0;function s(i,a){let l=Number(t.slice(i,a));o*=n,r=r*n+l,r>=xn&&(o=o+(r/xn|0),r=r%xn)}return s(-24,-18),s(-18,-12),s(-12,-6),s(-6),e?xi(r,o):Ao(r,o)}function Si(t,e){let n=Ao(t,e),r=n.hi&2147483648;r&&(n=xi(n.lo,n.hi));let o=Io(n.lo,n.hi);return r?"-"+o:o}function Io(t,e){if({lo:t,hi:e}=ou(t,e),e<=2097151)return String(xn*e+t);let n=t&16777215,r=(t>>>24|e<<8)&16777215,o=e>>16&65535,s=n+r*6777216+o*6710656,i=r+o*8147497,a=o*2,l=1e7;return s>=l&&(i+=Math.floor(s/l),s%=l),i>=l&&(a+=Math.floor(i/l),i%=l),a.toString()+Ei(i)+Ei(s)}function ou(t,e){return{lo:t>>>0,hi:e>>>0}}function Ao(t,e){return{lo:t|0,hi:e|0}}function xi(t,e){return e=~e,t?t=~t+1:e+=1,Ao(t,e)}var Ei=t=>{let e=String(t);return"0000000".slice(e.length)+e};function No(t,e){if(t>=0){for(;t>127;)e.push(t&127|128),t=t>>>7;e.push(t)}else{for(let n=0;n<9;n++)e.push(t&127|128),t=t>>7;e.push(1)}}function Ii(){let t=this.buf[this.pos++],e=t&127;if((t&128)==0)return this.assertBounds(),e;if(t=this.buf[this.pos++],e|=(t&127)<<7,(t&128)==0)return this.assertBounds(),e;if(t=this.buf[this.pos++],e|=(t&127)<<14,(t&128)==0)return this.assertBounds(),e;if(t=this.buf[this.pos++],e|=(t&127)<<21,(t&128)==0)return this.assertBounds(),e;t=this.buf[this.pos++],e|=(t&15)<<28;for(let n=5;(t&128)!==0&&n<10;n++)t=this.buf[this.pos++];if((t&128)!=0)throw new Error("invalid varint");return this.assertBounds(),e>>>0}var N=su();function su(){let t=new DataView(new ArrayBuffer(8));if(typeof BigInt=="function"&&typeof t.getBigInt64=="function"&&typeof t.getBigUint64=="function"&&typeof t.setBigInt64=="function"&&typeof t.setBigUint64=="function"&&(typeof process!="object"||typeof process.env!="object"||process.env.BUF_BIGINT_DISABLE!=="1")){let n=BigInt("-9223372036854775808"),r=BigInt("9223372036854775807"),o=BigInt("0"),s=BigInt("18446744073709551615");return{zero:BigInt(0),supported:!0,parse(i){let a=typeof i=="bigint"?i:BigInt(i);if(a>r||a<n)throw new Error(`invalid int64: ${i}`);return a},uParse(i){let a=typeof i=="bigint"?i:BigInt(i);if(a>s||a<o)throw new Error(`invalid uint64: ${i}`);return a},enc(i){return t.setBigInt64(0,this.parse(i),!0),{lo:t.getInt32(0,!0),hi:t.getInt32(4,!0)}},uEnc(i){return t.setBigInt64(0,this.uParse(i),!0),{lo:t.getInt32(0,!0),hi:t.getInt32(4,!0)}},dec(i,a){return t.setInt32(0,i,!0),t.setInt32(4,a,!0),t.getBigInt64(0,!0)},uDec(i,a){return t.setInt32(0,i,!0),t.setInt32(4,a,!0),t.getBigUint64(0,!0)}}}return{zero:"0",supported:!1,parse(n){return typeof n!="string"&&(n=n.toString()),Ai(n),n},uParse(n){return typeof n!="string"&&(n=n.toString()),Ni(n),n},enc(n){return typeof n!="string"&&(n=n.toString()),Ai(n),xo(n)},uEnc(n){return typeof n!="string"&&(n=n.toString()),Ni(n),xo(n)},dec(n,r){return Si(n,r)},uDec(n,r){return Io(n,r)}}}function Ai(t){if(!/^-?[0-9]+$/.test(t))throw new Error("invalid int64: "+t)}function Ni(t){if(!/^[0-9]+$/.test(t))throw new Error("invalid uint64: "+t)}var d;(function(t){t[t.DOUBLE=1]="DOUBLE",t[t.FLOAT=2]="FLOAT",t[t.INT64=3]="INT64",t[t.UINT64=4]="UINT64",t[t.INT32=5]="INT32",t[t.FIXED64=6]="FIXED64",t[t.FIXED32=7]="FIXED32",t[t.BOOL=8]="BOOL",t[t.STRING=9]="STRING",t[t.BYTES=12]="BYTES",t[t.UINT32=13]="UINT32",t[t.SFIXED32=15]="SFIXED32",t[t.SFIXED64=16]="SFIXED64",t[t.SINT32=17]="SINT32",t[t.SINT64=18]="SINT64"})(d||(d={}));function rt(t,e,n){if(e===n)return!0;if(t==d.BYTES){if(!(e instanceof Uint8Array)||!(n instanceof Uint8Array)||e.length!==n.length)return!1;for(let r=0;r<e.length;r++)if(e[r]!==n[r])return!1;return!0}switch(t){case d.UINT64:case d.FIXED64:case d.INT64:case d.SFIXED64:case d.SINT64:return e==n}return!1}function q(t,e){switch(t){case d.STRING:return"";case d.BOOL:return!1;case d.DOUBLE:case d.FLOAT:return 0;case d.INT64:case d.UINT64:case d.SFIXED64:case d.FIXED64:case d.SINT64:return e?"0":N.zero;case d.BYTES:return new Uint8Array(0);default:return 0}}function Ri(t,e){switch(t){case d.BOOL:return e===!1;case d.STRING:return e==="";case d.BYTES:return e instanceof Uint8Array&&!e.byteLength;default:return e==0}}var ki=2,oe=Symbol.for("reflect unsafe local");function An(t,e){let n=t[e.localName].case;return n===void 0?n:e.fields.find(r=>r.localName===n)}function Ti(t,e){let n=e.localName;if(e.oneof)return t[e.oneof.localName].case===n;if(e.presence!=ki)return t[n]!==void 0&&Object.prototype.hasOwnProperty.call(t,n);switch(e.fieldKind){case"list":return t[n].length>0;case"map":return Object.keys(t[n]).length>0;case"scalar":return!Ri(e.scalar,t[n]);case"enum":return t[n]!==e.enum.values[0].number}throw new Error("message field with implicit presence")}function Pe(t,e){return Object.prototype.hasOwnProperty.call(t,e)&&t[e]!==void 0}function Nn(t,e){if(e.oneof){let n=t[e.oneof.localName];return n.case===e.localName?n.value:void 0}return t[e.localName]}function Rn(t,e,n){e.oneof?t[e.oneof.localName]={case:e.localName,value:n}:t[e.localName]=n}function Ci(t,e){let n=e.localName;if(e.oneof){let r=e.oneof.localName;t[r].case===n&&(t[r]={case:void 0})}else if(e.presence!=ki)delete t[n];else switch(e.fieldKind){case"map":t[n]={};break;case"list":t[n]=[];break;case"enum":t[n]=e.enum.values[0].number;break;case"scalar":t[n]=q(e.scalar,e.longAsString);break}}function Gt(t){for(let e of t.field)Pe(e,"jsonName")||(e.jsonName=Te(e.name));t.nestedType.forEach(Gt)}function Li(t,e){let n=t.values.find(r=>r.name===e);if(!n)throw new Error(`cannot parse ${t} default value: ${e}`);return n.number}function _i(t,e){switch(t){case d.STRING:return e;case d.BYTES:{let n=iu(e);if(n===!1)throw new Error(`cannot parse ${d[t]} default value: ${e}`);return n}case d.INT64:case d.SFIXED64:case d.SINT64:return N.parse(e);case d.UINT64:case d.FIXED64:return N.uParse(e);case d.DOUBLE:case d.FLOAT:switch(e){case"inf":return Number.POSITIVE_INFINITY;case"-inf":return Number.NEGATIVE_INFINITY;case"nan":return Number.NaN;default:return parseFloat(e)}case d.BOOL:return e==="true";case d.INT32:case d.UINT32:case d.SINT32:case d.FIXED32:case d.SFIXED32:return parseInt(e,10)}}function iu(t){let e=[],n={tail:t,c:"",next(){return this.tail.length==0?!1:(this.c=this.tail[0],this.tail=this.tail.substring(1),!0)},take(r){if(this.tail.length>=r){let o=this.tail.substring(0,r);return this.tail=this.tail.substring(r),o}return!1}};for(;n.next();)switch(n.c){case"\\":if(n.next())switch(n.c){case"\\":e.push(n.c.charCodeAt(0));break;case"b":e.push(8);break;case"f":e.push(12);break;case"n":e.push(10);break;case"r":e.push(13);break;case"t":e.push(9);break;case"v":e.push(11);break;case"0":case"1":case"2":case"3":case"4":case"5":case"6":case"7":{let r=n.c,o=n.take(2);if(o===!1)return!1;let s=parseInt(r+o,8);if(Number.isNaN(s))return!1;e.push(s);break}case"x":{let r=n.c,o=n.take(2);if(o===!1)return!1;let s=parseInt(r+o,16);if(Number.isNaN(s))return!1;e.push(s);break}case"u":{let r=n.c,o=n.take(4);if(o===!1)return!1;let s=parseInt(r+o,16);if(Number.isNaN(s))return!1;let i=new Uint8Array(4);new DataView(i.buffer).setInt32(0,s,!0),e.push(i[0],i[1],i[2],i[3]);break}case"U":{let r=n.c,o=n.take(8);if(o===!1)return!1;let s=N.uEnc(r+o),i=new Uint8Array(8),a=new DataView(i.buffer);a.setInt32(0,s.lo,!0),a.setInt32(4,s.hi,!0),e.push(i[0],i[1],i[2],i[3],i[4],i[5],i[6],i[7]);break}}break;default:e.push(n.c.charCodeAt(0))}return new Uint8Array(e)}function*kn(t){switch(t.kind){case"file":for(let e of t.messages)yield e,yield*kn(e);yield*t.enums,yield*t.services,yield*t.extensions;break;case"message":for(let e of t.nestedMessages)yield e,yield*kn(e);yield*t.nestedEnums,yield*t.nestedExtensions;break}}function Tn(...t){let e=au();if(!t.length)return e;if("$typeName"in t[0]&&t[0].$typeName=="google.protobuf.FileDescriptorSet"){for(let r of t[0].file)Ji(r,e);return e}if("$typeName"in t[0]){let i=function(a){let l=[];for(let c of a.dependency){if(e.getFile(c)!=null||s.has(c))continue;let u=o(c);if(!u)throw new Error(`Unable to resolve ${c}, imported by ${a.name}`);"kind"in u?e.addFile(u,!1,!0):(s.add(u.name),l.push(u))}return l.concat(...l.map(i))};var n=i;let r=t[0],o=t[1],s=new Set;for(let a of[r,...i(r)].reverse())Ji(a,e)}else for(let r of t)for(let o of r.files)e.addFile(o);return e}function au(){let t=new Map,e=new Map,n=new Map;return{kind:"registry",types:t,extendees:e,[Symbol.iterator](){return t.values()},get files(){return n.values()},addFile(r,o,s){if(n.set(r.proto.name,r),!o)for(let i of kn(r))this.add(i);if(s)for(let i of r.dependencies)this.addFile(i,o,s)},add(r){if(r.kind=="extension"){let o=e.get(r.extendee.typeName);o||e.set(r.extendee.typeName,o=new Map),o.set(r.number,r)}t.set(r.typeName,r)},get(r){return t.get(r)},getFile(r){return n.get(r)},getMessage(r){let o=t.get(r);return o?.kind=="message"?o:void 0},getEnum(r){let o=t.get(r);return o?.kind=="enum"?o:void 0},getExtension(r){let o=t.get(r);return o?.kind=="extension"?o:void 0},getExtensionFor(r,o){var s;return(s=e.get(r.typeName))===null||s===void 0?void 0:s.get(o)},getService(r){let o=t.get(r);return o?.kind=="service"?o:void 0}}}var lu=998,cu=999,du=9,Ut=10,Jt=11,uu=12,$i=14,Lo=3,pu=2,Mi=1,mu=0,Ro=1,Gi=2,fu=3,hu=1,gu=2,bu=1;var Oi={998:{fieldPresence:1,enumType:2,repeatedFieldEncoding:2,utf8Validation:3,messageEncoding:1,jsonFormat:2,enforceNamingStyle:2,defaultSymbolVisibility:1},999:{fieldPresence:2,enumType:1,repeatedFieldEncoding:1,utf8Validation:2,messageEncoding:1,jsonFormat:1,enforceNamingStyle:2,defaultSymbolVisibility:1},1e3:{fieldPresence:1,enumType:1,repeatedFieldEncoding:1,utf8Validation:2,messageEncoding:1,jsonFormat:1,enforceNamingStyle:2,defaultSymbolVisibility:1}};function Ji(t,e){var n,r;let o={kind:"file",proto:t,deprecated:(r=(n=t.options)===null||n===void 0?void 0:n.deprecated)!==null&&r!==void 0?r:!1,edition:wu(t),name:t.name.replace(/\.proto$/,""),dependencies:Su(t,e),enums:[],messages:[],extensions:[],services:[],toString(){return`file ${t.name}`}},s=new Map,i={get(a){return s.get(a)},add(a){var l;se(((l=a.proto.options)===null||l===void 0?void 0:l.mapEntry)===!0),s.set(a.typeName,a)}};for(let a of t.enumType)Di(a,o,void 0,e);for(let a of t.messageType)Bi(a,o,void 0,e,i);for(let a of t.service)yu(a,o,e);ko(o,e);for(let a of s.values())To(a,e,i);for(let a of o.messages)To(a,e,i),ko(a,e);e.addFile(o,!0)}function ko(t,e){switch(t.kind){case"file":for(let n of t.proto.extension){let r=Co(n,t,e);t.extensions.push(r),e.add(r)}break;case"message":for(let n of t.proto.extension){let r=Co(n,t,e);t.nestedExtensions.push(r),e.add(r)}for(let n of t.nestedMessages)ko(n,e);break}}function To(t,e,n){let r=t.proto.oneofDecl.map(s=>Eu(s,t)),o=new Set;for(let s of t.proto.field){let i=Au(s,r),a=Co(s,t,e,i,n);t.fields.push(a),t.field[a.localName]=a,i===void 0?t.members.push(a):(i.fields.push(a),o.has(i)||(o.add(i),t.members.push(i)))}for(let s of r.filter(i=>o.has(i)))t.oneofs.push(s);for(let s of t.nestedMessages)To(s,e,n)}function Di(t,e,n,r){var o,s,i,a,l;let c=xu(t.name,t.value),u={kind:"enum",proto:t,deprecated:(s=(o=t.options)===null||o===void 0?void 0:o.deprecated)!==null&&s!==void 0?s:!1,file:e,parent:n,open:!0,name:t.name,typeName:Cn(t,n,e),value:{},values:[],sharedPrefix:c,toString(){return`enum ${this.typeName}`}};u.open=Tu(u),r.add(u);for(let m of t.value){let b=m.name;u.values.push(u.value[m.number]={kind:"enum_value",proto:m,deprecated:(a=(i=m.options)===null||i===void 0?void 0:i.deprecated)!==null&&a!==void 0?a:!1,parent:u,name:b,localName:nt(c==null?b:b.substring(c.length)),number:m.number,toString(){return`enum value ${u.typeName}.${b}`}})}((l=n?.nestedEnums)!==null&&l!==void 0?l:e.enums).push(u)}function Bi(t,e,n,r,o){var s,i,a,l;let c={kind:"message",proto:t,deprecated:(i=(s=t.options)===null||s===void 0?void 0:s.deprecated)!==null&&i!==void 0?i:!1,file:e,parent:n,name:t.name,typeName:Cn(t,n,e),fields:[],field:{},oneofs:[],members:[],nestedEnums:[],nestedMessages:[],nestedExtensions:[],toString(){return`message ${this.typeName}`}};((a=t.options)===null||a===void 0?void 0:a.mapEntry)===!0?o.add(c):(((l=n?.nestedMessages)!==null&&l!==void 0?l:e.messages).push(c),r.add(c));for(let u of t.enumType)Di(u,e,c,r);for(let u of t.nestedType)Bi(u,e,c,r,o)}function yu(t,e,n){var r,o;let s={kind:"service",proto:t,deprecated:(o=(r=t.options)===null||r===void 0?void 0:r.deprecated)!==null&&o!==void 0?o:!1,file:e,name:t.name,typeName:Cn(t,void 0,e),methods:[],method:{},toString(){return`service ${this.typeName}`}};e.services.push(s),n.add(s);for(let i of t.method){let a=vu(i,s,n);s.methods.push(a),s.method[a.localName]=a}}function vu(t,e,n){var r,o,s,i;let a;t.clientStreaming&&t.serverStreaming?a="bidi_streaming":t.clientStreaming?a="client_streaming":t.serverStreaming?a="server_streaming":a="unary";let l=n.getMessage(be(t.inputType)),c=n.getMessage(be(t.outputType));se(l,`invalid MethodDescriptorProto: input_type ${t.inputType} not found`),se(c,`invalid MethodDescriptorProto: output_type ${t.inputType} not found`);let u=t.name;return{kind:"rpc",proto:t,deprecated:(o=(r=t.options)===null||r===void 0?void 0:r.deprecated)!==null&&o!==void 0?o:!1,parent:e,name:u,localName:nt(u.length?nt(u[0].toLowerCase()+u.substring(1)):u),methodKind:a,input:l,output:c,idempotency:(i=(s=t.options)===null||s===void 0?void 0:s.idempotencyLevel)!==null&&i!==void 0?i:mu,toString(){return`rpc ${e.typeName}.${u}`}}}function Eu(t,e){return{kind:"oneof",proto:t,deprecated:!1,parent:e,fields:[],name:t.name,localName:nt(Te(t.name)),toString(){return`oneof ${e.typeName}.${this.name}`}}}function Co(t,e,n,r,o){var s,i,a;let l=o===void 0,c={kind:"field",proto:t,deprecated:(i=(s=t.options)===null||s===void 0?void 0:s.deprecated)!==null&&i!==void 0?i:!1,name:t.name,number:t.number,scalar:void 0,message:void 0,enum:void 0,presence:Nu(t,r,l,e),listKind:void 0,mapKind:void 0,mapKey:void 0,delimitedEncoding:void 0,packed:void 0,longAsString:!1,getDefaultValue:void 0};if(l){let p=e.kind=="file"?e:e.file,g=e.kind=="file"?void 0:e,E=Cn(t,g,p);c.kind="extension",c.file=p,c.parent=g,c.oneof=void 0,c.typeName=E,c.jsonName=`[${E}]`,c.toString=()=>`extension ${E}`;let x=n.getMessage(be(t.extendee));se(x,`invalid FieldDescriptorProto: extendee ${t.extendee} not found`),c.extendee=x}else{let p=e;se(p.kind=="message"),c.parent=p,c.oneof=r,c.localName=r?Te(t.name):nt(Te(t.name)),c.jsonName=t.jsonName,c.toString=()=>`field ${p.typeName}.${t.name}`}let u=t.label,m=t.type,b=(a=t.options)===null||a===void 0?void 0:a.jstype;if(u===Lo){let p=m==Jt?o?.get(be(t.typeName)):void 0;if(p){c.fieldKind="map";let{key:g,value:E}=ku(p);return c.mapKey=g.scalar,c.mapKind=E.fieldKind,c.message=E.message,c.delimitedEncoding=!1,c.enum=E.enum,c.scalar=E.scalar,c}switch(c.fieldKind="list",m){case Jt:case Ut:c.listKind="message",c.message=n.getMessage(be(t.typeName)),se(c.message),c.delimitedEncoding=Ui(t,e);break;case $i:c.listKind="enum",c.enum=n.getEnum(be(t.typeName)),se(c.enum);break;default:c.listKind="scalar",c.scalar=m,c.longAsString=b==Mi;break}return c.packed=Ru(t,e),c}switch(m){case Jt:case Ut:c.fieldKind="message",c.message=n.getMessage(be(t.typeName)),se(c.message,`invalid FieldDescriptorProto: type_name ${t.typeName} not found`),c.delimitedEncoding=Ui(t,e),c.getDefaultValue=()=>{};break;case $i:{let p=n.getEnum(be(t.typeName));se(p!==void 0,`invalid FieldDescriptorProto: type_name ${t.typeName} not found`),c.fieldKind="enum",c.enum=n.getEnum(be(t.typeName)),c.getDefaultValue=()=>Pe(t,"defaultValue")?Li(p,t.defaultValue):void 0;break}default:{c.fieldKind="scalar",c.scalar=m,c.longAsString=b==Mi,c.getDefaultValue=()=>Pe(t,"defaultValue")?_i(m,t.defaultValue):void 0;break}}return c}function wu(t){switch(t.syntax){case"":case"proto2":return lu;case"proto3":return cu;case"editions":if(t.edition in Oi)return t.edition;throw new Error(`${t.name}: unsupported edition`);default:throw new Error(`${t.name}: unsupported syntax "${t.syntax}"`)}}function Su(t,e){return t.dependency.map(n=>{let r=e.getFile(n);if(!r)throw new Error(`Cannot find ${n}, imported by ${t.name}`);return r})}function xu(t,e){let n=Iu(t)+"_";for(let r of e){if(!r.name.toLowerCase().startsWith(n))return;let o=r.name.substring(n.length);if(o.length==0||/^\d/.test(o))return}return n}function Iu(t){return(t.substring(0,1)+t.substring(1).replace(/[A-Z]/g,e=>"_"+e)).toLowerCase()}function Cn(t,e,n){let r;return e?r=`${e.typeName}.${t.name}`:n.proto.package.length>0?r=`${n.proto.package}.${t.name}`:r=`${t.name}`,r}function be(t){return t.startsWith(".")?t.substring(1):t}function Au(t,e){if(!Pe(t,"oneofIndex")||t.proto3Optional)return;let n=e[t.oneofIndex];return se(n,`invalid FieldDescriptorProto: oneof #${t.oneofIndex} for field #${t.number} not found`),n}function Nu(t,e,n,r){if(t.label==pu)return fu;if(t.label==Lo)return Gi;if(e||t.proto3Optional||n)return Ro;let o=ot("fieldPresence",{proto:t,parent:r});return o==Gi&&(t.type==Jt||t.type==Ut)?Ro:o}function Ru(t,e){if(t.label!=Lo)return!1;switch(t.type){case du:case uu:case Ut:case Jt:return!1}let n=t.options;return n&&Pe(n,"packed")?n.packed:hu==ot("repeatedFieldEncoding",{proto:t,parent:e})}function ku(t){let e=t.fields.find(r=>r.number===1),n=t.fields.find(r=>r.number===2);return se(e&&e.fieldKind=="scalar"&&e.scalar!=d.BYTES&&e.scalar!=d.FLOAT&&e.scalar!=d.DOUBLE&&n&&n.fieldKind!="list"&&n.fieldKind!="map"),{key:e,value:n}}function Tu(t){var e;return bu==ot("enumType",{proto:t.proto,parent:(e=t.parent)!==null&&e!==void 0?e:t.file})}function Ui(t,e){return t.type==Ut?!0:gu==ot("messageEncoding",{proto:t,parent:e})}function ot(t,e){var n,r;let o=(n=e.proto.options)===null||n===void 0?void 0:n.features;if(o){let s=o[t];if(s!=0)return s}if("kind"in e){if(e.kind=="message")return ot(t,(r=e.parent)!==null&&r!==void 0?r:e.file);let s=Oi[e.edition];if(!s)throw new Error(`feature default for edition ${e.edition} not found`);return s[t]}return ot(t,e.parent)}function se(t,e){if(!t)throw new Error(e)}function Fi(t){let e=Cu(t);return e.messageType.forEach(Gt),Tn(e,()=>{}).getFile(e.name)}function Cu(t){return Object.assign(Object.create({syntax:"",edition:0}),Object.assign(Object.assign({$typeName:"google.protobuf.FileDescriptorProto",dependency:[],publicDependency:[],weakDependency:[],optionDependency:[],service:[],extension:[]},t),{messageType:t.messageType.map(Vi),enumType:t.enumType.map(Wi)}))}function Vi(t){var e,n,r,o,s,i,a,l;return Object.assign(Object.create({visibility:0}),{$typeName:"google.protobuf.DescriptorProto",name:t.name,field:(n=(e=t.field)===null||e===void 0?void 0:e.map(Lu))!==null&&n!==void 0?n:[],extension:[],nestedType:(o=(r=t.nestedType)===null||r===void 0?void 0:r.map(Vi))!==null&&o!==void 0?o:[],enumType:(i=(s=t.enumType)===null||s===void 0?void 0:s.map(Wi))!==null&&i!==void 0?i:[],extensionRange:(l=(a=t.extensionRange)===null||a===void 0?void 0:a.map(u=>Object.assign({$typeName:"google.protobuf.DescriptorProto.ExtensionRange"},u)))!==null&&l!==void 0?l:[],oneofDecl:[],reservedRange:[],reservedName:[]})}function Lu(t){return Object.assign(Object.create({label:1,typeName:"",extendee:"",defaultValue:"",oneofIndex:0,jsonName:"",proto3Optional:!1}),Object.assign(Object.assign({$typeName:"google.protobuf.FieldDescriptorProto"},t),{options:t.options?_u(t.options):void 0}))}function _u(t){var e,n,r;return Object.assign(Object.create({ctype:0,packed:!1,jstype:0,lazy:!1,unverifiedLazy:!1,deprecated:!1,weak:!1,debugRedact:!1,retention:0}),Object.assign(Object.assign({$typeName:"google.protobuf.FieldOptions"},t),{targets:(e=t.targets)!==null&&e!==void 0?e:[],editionDefaults:(r=(n=t.editionDefaults)===null||n===void 0?void 0:n.map(s=>Object.assign({$typeName:"google.protobuf.FieldOptions.EditionDefault"},s)))!==null&&r!==void 0?r:[],uninterpretedOption:[]}))}function Wi(t){return Object.assign(Object.create({visibility:0}),{$typeName:"google.protobuf.EnumDescriptorProto",name:t.name,reservedName:[],reservedRange:[],value:t.value.map(n=>Object.assign({$typeName:"google.protobuf.EnumValueDescriptorProto"},n))})}function it(t){let e=$u(),n=t.length*3/4;t[t.length-2]=="="?n-=2:t[t.length-1]=="="&&(n-=1);let r=new Uint8Array(n),o=0,s=0,i,a=0;for(let l=0;l<t.length;l++){if(i=e[t.charCodeAt(l)],i===void 0)switch(t[l]){case"=":s=0;case`
`:case"\r":case"	":case" ":continue;default:throw Error("invalid base64 string")}switch(s){case 0:a=i,s=1;break;case 1:r[o++]=a<<2|(i&48)>>4,a=i,s=2;break;case 2:r[o++]=(a&15)<<4|(i&60)>>2,a=i,s=3;break;case 3:r[o++]=(a&3)<<6|i,s=0;break}}if(s==1)throw Error("invalid base64 string");return r.subarray(0,o)}function Ot(t,e="std"){let n=Yi(e),r=e=="std",o="",s=0,i,a=0;for(let l=0;l<t.length;l++)switch(i=t[l],s){case 0:o+=n[i>>2],a=(i&3)<<4,s=1;break;case 1:o+=n[a|i>>4],a=(i&15)<<2,s=2;break;case 2:o+=n[a|i>>6],o+=n[i&63],s=0;break}return s&&(o+=n[a],r&&(o+="=",s==1&&(o+="="))),o}var Ln,Pi,st;function Yi(t){return Ln||(Ln="ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".split(""),Pi=Ln.slice(0,-2).concat("-","_")),t=="url"?Pi:Ln}function $u(){if(!st){st=[];let t=Yi("std");for(let e=0;e<t.length;e++)st[t[e].charCodeAt(0)]=e;st[45]=t.indexOf("+"),st[95]=t.indexOf("/")}return st}function Dt(t,e){return t!==null&&typeof t=="object"&&"$typeName"in t&&typeof t.$typeName=="string"?e===void 0?!0:e.typeName===t.$typeName:!1}var Mu=["FieldValueInvalidError","FieldListRangeError","ForeignFieldError"],U=class extends Error{constructor(e,n,r="FieldValueInvalidError"){super(n),this.name=r,this.field=()=>e}};function Zi(t){return t instanceof Error&&Mu.includes(t.name)&&"field"in t&&typeof t.field=="function"}function ae(t){return t!==null&&typeof t=="object"&&!Array.isArray(t)}function Bt(t,e){var n,r,o,s;if(ae(t)&&oe in t&&"add"in t&&"field"in t&&typeof t.field=="function"){if(e!==void 0){let i=e,a=t.field();return i.listKind==a.listKind&&i.scalar===a.scalar&&((n=i.message)===null||n===void 0?void 0:n.typeName)===((r=a.message)===null||r===void 0?void 0:r.typeName)&&((o=i.enum)===null||o===void 0?void 0:o.typeName)===((s=a.enum)===null||s===void 0?void 0:s.typeName)}return!0}return!1}function Ft(t,e){var n,r,o,s;if(ae(t)&&oe in t&&"has"in t&&"field"in t&&typeof t.field=="function"){if(e!==void 0){let i=e,a=t.field();return i.mapKey===a.mapKey&&i.mapKind==a.mapKind&&i.scalar===a.scalar&&((n=i.message)===null||n===void 0?void 0:n.typeName)===((r=a.message)===null||r===void 0?void 0:r.typeName)&&((o=i.enum)===null||o===void 0?void 0:o.typeName)===((s=a.enum)===null||s===void 0?void 0:s.typeName)}return!0}return!1}function Vt(t,e){return ae(t)&&oe in t&&"desc"in t&&ae(t.desc)&&t.desc.kind==="message"&&(e===void 0||t.desc.typeName==e.typeName)}var _o=Symbol.for("@bufbuild/protobuf/text-encoding");function Wt(){if(globalThis[_o]==null){let t=new globalThis.TextEncoder,e=new globalThis.TextDecoder;globalThis[_o]={encodeUtf8(n){return t.encode(n)},decodeUtf8(n){return e.decode(n)},checkUtf8(n){try{return encodeURIComponent(n),!0}catch{return!1}}}}return globalThis[_o]}var _;(function(t){t[t.Varint=0]="Varint",t[t.Bit64=1]="Bit64",t[t.LengthDelimited=2]="LengthDelimited",t[t.StartGroup=3]="StartGroup",t[t.EndGroup=4]="EndGroup",t[t.Bit32=5]="Bit32"})(_||(_={}));var Mo=34028234663852886e22,Go=-34028234663852886e22,Jo=4294967295,Uo=2147483647,Oo=-2147483648,Ce=class{constructor(e=Wt().encodeUtf8){this.encodeUtf8=e,this.stack=[],this.chunks=[],this.buf=[]}finish(){this.buf.length&&(this.chunks.push(new Uint8Array(this.buf)),this.buf=[]);let e=0;for(let o=0;o<this.chunks.length;o++)e+=this.chunks[o].length;let n=new Uint8Array(e),r=0;for(let o=0;o<this.chunks.length;o++)n.set(this.chunks[o],r),r+=this.chunks[o].length;return this.chunks=[],n}fork(){return this.stack.push({chunks:this.chunks,buf:this.buf}),this.chunks=[],this.buf=[],this}join(){let e=this.finish(),n=this.stack.pop();if(!n)throw new Error("invalid state, fork stack empty");return this.chunks=n.chunks,this.buf=n.buf,this.uint32(e.byteLength),this.raw(e)}tag(e,n){return this.uint32((e<<3|n)>>>0)}raw(e){return this.buf.length&&(this.chunks.push(new Uint8Array(this.buf)),this.buf=[]),this.chunks.push(e),this}uint32(e){for(Ki(e);e>127;)this.buf.push(e&127|128),e=e>>>7;return this.buf.push(e),this}int32(e){return $o(e),No(e,this.buf),this}bool(e){return this.buf.push(e?1:0),this}bytes(e){return this.uint32(e.byteLength),this.raw(e)}string(e){let n=this.encodeUtf8(e);return this.uint32(n.byteLength),this.raw(n)}float(e){Gu(e);let n=new Uint8Array(4);return new DataView(n.buffer).setFloat32(0,e,!0),this.raw(n)}double(e){let n=new Uint8Array(8);return new DataView(n.buffer).setFloat64(0,e,!0),this.raw(n)}fixed32(e){Ki(e);let n=new Uint8Array(4);return new DataView(n.buffer).setUint32(0,e,!0),this.raw(n)}sfixed32(e){$o(e);let n=new Uint8Array(4);return new DataView(n.buffer).setInt32(0,e,!0),this.raw(n)}sint32(e){return $o(e),e=(e<<1^e>>31)>>>0,No(e,this.buf),this}sfixed64(e){let n=new Uint8Array(8),r=new DataView(n.buffer),o=N.enc(e);return r.setInt32(0,o.lo,!0),r.setInt32(4,o.hi,!0),this.raw(n)}fixed64(e){let n=new Uint8Array(8),r=new DataView(n.buffer),o=N.uEnc(e);return r.setInt32(0,o.lo,!0),r.setInt32(4,o.hi,!0),this.raw(n)}int64(e){let n=N.enc(e);return In(n.lo,n.hi,this.buf),this}sint64(e){let n=N.enc(e),r=n.hi>>31,o=n.lo<<1^r,s=(n.hi<<1|n.lo>>>31)^r;return In(o,s,this.buf),this}uint64(e){let n=N.uEnc(e);return In(n.lo,n.hi,this.buf),this}},Ye=class{constructor(e,n=Wt().decodeUtf8){this.decodeUtf8=n,this.varint64=wi,this.uint32=Ii,this.buf=e,this.len=e.length,this.pos=0,this.view=new DataView(e.buffer,e.byteOffset,e.byteLength)}tag(){let e=this.uint32(),n=e>>>3,r=e&7;if(n<=0||r<0||r>5)throw new Error("illegal tag: field no "+n+" wire type "+r);return[n,r]}skip(e,n){let r=this.pos;switch(e){case _.Varint:for(;this.buf[this.pos++]&128;);break;case _.Bit64:this.pos+=4;case _.Bit32:this.pos+=4;break;case _.LengthDelimited:let o=this.uint32();this.pos+=o;break;case _.StartGroup:for(;;){let[s,i]=this.tag();if(i===_.EndGroup){if(n!==void 0&&s!==n)throw new Error("invalid end group tag");break}this.skip(i,s)}break;default:throw new Error("cant skip wire type "+e)}return this.assertBounds(),this.buf.subarray(r,this.pos)}assertBounds(){if(this.pos>this.len)throw new RangeError("premature EOF")}int32(){return this.uint32()|0}sint32(){let e=this.uint32();return e>>>1^-(e&1)}int64(){return N.dec(...this.varint64())}uint64(){return N.uDec(...this.varint64())}sint64(){let[e,n]=this.varint64(),r=-(e&1);return e=(e>>>1|(n&1)<<31)^r,n=n>>>1^r,N.dec(e,n)}bool(){let[e,n]=this.varint64();return e!==0||n!==0}fixed32(){return this.view.getUint32((this.pos+=4)-4,!0)}sfixed32(){return this.view.getInt32((this.pos+=4)-4,!0)}fixed64(){return N.uDec(this.sfixed32(),this.sfixed32())}sfixed64(){return N.dec(this.sfixed32(),this.sfixed32())}float(){return this.view.getFloat32((this.pos+=4)-4,!0)}double(){return this.view.getFloat64((this.pos+=8)-8,!0)}bytes(){let e=this.uint32(),n=this.pos;return this.pos+=e,this.assertBounds(),this.buf.subarray(n,n+e)}string(){return this.decodeUtf8(this.bytes())}};function $o(t){if(typeof t=="string")t=Number(t);else if(typeof t!="number")throw new Error("invalid int32: "+typeof t);if(!Number.isInteger(t)||t>Uo||t<Oo)throw new Error("invalid int32: "+t)}function Ki(t){if(typeof t=="string")t=Number(t);else if(typeof t!="number")throw new Error("invalid uint32: "+typeof t);if(!Number.isInteger(t)||t>Jo||t<0)throw new Error("invalid uint32: "+t)}function Gu(t){if(typeof t=="string"){let e=t;if(t=Number(t),Number.isNaN(t)&&e!=="NaN")throw new Error("invalid float32: "+e)}else if(typeof t!="number")throw new Error("invalid float32: "+typeof t);if(Number.isFinite(t)&&(t>Mo||t<Go))throw new Error("invalid float32: "+t)}function ye(t,e){let n=t.fieldKind=="list"?Bt(e,t):t.fieldKind=="map"?Ft(e,t):Bo(t,e);if(n===!0)return;let r;switch(t.fieldKind){case"list":r=`expected ${Qi(t)}, got ${G(e)}`;break;case"map":r=`expected ${zi(t)}, got ${G(e)}`;break;default:r=_n(t,e,n)}return new U(t,r)}function Do(t,e,n){let r=Bo(t,n);if(r!==!0)return new U(t,`list item #${e+1}: ${_n(t,n,r)}`)}function Xi(t,e,n){let r=ji(e,t.mapKey);if(r!==!0)return new U(t,`invalid map key: ${_n({scalar:t.mapKey},e,r)}`);let o=Bo(t,n);if(o!==!0)return new U(t,`map entry ${G(e)}: ${_n(t,n,o)}`)}function Bo(t,e){return t.scalar!==void 0?ji(e,t.scalar):t.enum!==void 0?t.enum.open?Number.isInteger(e):t.enum.values.some(n=>n.number===e):Vt(e,t.message)}function ji(t,e){switch(e){case d.DOUBLE:return typeof t=="number";case d.FLOAT:return typeof t!="number"?!1:Number.isNaN(t)||!Number.isFinite(t)?!0:t>Mo||t<Go?`${t.toFixed()} out of range`:!0;case d.INT32:case d.SFIXED32:case d.SINT32:return typeof t!="number"||!Number.isInteger(t)?!1:t>Uo||t<Oo?`${t.toFixed()} out of range`:!0;case d.FIXED32:case d.UINT32:return typeof t!="number"||!Number.isInteger(t)?!1:t>Jo||t<0?`${t.toFixed()} out of range`:!0;case d.BOOL:return typeof t=="boolean";case d.STRING:return typeof t!="string"?!1:Wt().checkUtf8(t)||"invalid UTF8";case d.BYTES:return t instanceof Uint8Array;case d.INT64:case d.SFIXED64:case d.SINT64:if(typeof t=="bigint"||typeof t=="number"||typeof t=="string"&&t.length>0)try{return N.parse(t),!0}catch{return`${t} out of range`}return!1;case d.FIXED64:case d.UINT64:if(typeof t=="bigint"||typeof t=="number"||typeof t=="string"&&t.length>0)try{return N.uParse(t),!0}catch{return`${t} out of range`}return!1}}function _n(t,e,n){return n=typeof n=="string"?`: ${n}`:`, got ${G(e)}`,t.scalar!==void 0?`expected ${Ju(t.scalar)}`+n:t.enum!==void 0?`expected ${t.enum.toString()}`+n:`expected ${Hi(t.message)}`+n}function G(t){switch(typeof t){case"object":return t===null?"null":t instanceof Uint8Array?`Uint8Array(${t.length})`:Array.isArray(t)?`Array(${t.length})`:Bt(t)?Qi(t.field()):Ft(t)?zi(t.field()):Vt(t)?Hi(t.desc):Dt(t)?`message ${t.$typeName}`:"object";case"string":return t.length>30?"string":`"${t.split('"').join('\\"')}"`;case"boolean":return String(t);case"number":return String(t);case"bigint":return String(t)+"n";default:return typeof t}}function Hi(t){return`ReflectMessage (${t.typeName})`}function Qi(t){switch(t.listKind){case"message":return`ReflectList (${t.message.toString()})`;case"enum":return`ReflectList (${t.enum.toString()})`;case"scalar":return`ReflectList (${d[t.scalar]})`}}function zi(t){switch(t.mapKind){case"message":return`ReflectMap (${d[t.mapKey]}, ${t.message.toString()})`;case"enum":return`ReflectMap (${d[t.mapKey]}, ${t.enum.toString()})`;case"scalar":return`ReflectMap (${d[t.mapKey]}, ${d[t.scalar]})`}}function Ju(t){switch(t){case d.STRING:return"string";case d.BOOL:return"boolean";case d.INT64:case d.SINT64:case d.SFIXED64:return"bigint (int64)";case d.UINT64:case d.FIXED64:return"bigint (uint64)";case d.BYTES:return"Uint8Array";case d.DOUBLE:return"number (float64)";case d.FLOAT:return"number (float32)";case d.FIXED32:case d.UINT32:return"number (uint32)";case d.INT32:case d.SFIXED32:case d.SINT32:return"number (int32)"}}function qi(t){return ea(t.$typeName)}function le(t){let e=t.fields[0];return ea(t.typeName)&&e!==void 0&&e.fieldKind=="scalar"&&e.name=="value"&&e.number==1}function ea(t){return t.startsWith("google.protobuf.")&&["DoubleValue","FloatValue","Int64Value","UInt64Value","Int32Value","UInt32Value","BoolValue","StringValue","BytesValue"].includes(t.substring(16))}var Uu=999,Ou=998,$n=2;function I(t,e){if(Dt(e,t))return e;let n=Wu(t);return e!==void 0&&Du(t,n,e),n}function Du(t,e,n){for(let r of t.members){let o=n[r.localName];if(o==null)continue;let s;if(r.kind=="oneof"){let i=An(n,r);if(!i)continue;s=i,o=Nn(n,i)}else s=r;switch(s.fieldKind){case"message":o=Vo(s,o);break;case"scalar":o=ra(s,o);break;case"list":o=Fu(s,o);break;case"map":o=Bu(s,o);break}Rn(e,s,o)}return e}function ra(t,e){return t.scalar==d.BYTES?Wo(e):e}function Bu(t,e){if(ae(e)){if(t.scalar==d.BYTES)return ta(e,Wo);if(t.mapKind=="message")return ta(e,n=>Vo(t,n))}return e}function Fu(t,e){if(Array.isArray(e)){if(t.scalar==d.BYTES)return e.map(Wo);if(t.listKind=="message")return e.map(n=>Vo(t,n))}return e}function Vo(t,e){if(t.fieldKind=="message"&&!t.oneof&&le(t.message))return ra(t.message.fields[0],e);if(ae(e)){if(t.message.typeName=="google.protobuf.Struct"&&t.parent.typeName!=="google.protobuf.Value")return e;if(!Dt(e,t.message))return I(t.message,e)}return e}function Wo(t){return Array.isArray(t)?new Uint8Array(t):t}function ta(t,e){let n={};for(let r of Object.entries(t))n[r[0]]=e(r[1]);return n}var Vu=Symbol(),na=new WeakMap;function Wu(t){let e;if(Pu(t)){let n=na.get(t),r,o;if(n)({prototype:r,members:o}=n);else{r={},o=new Set;for(let s of t.members)s.kind!="oneof"&&(s.fieldKind!="scalar"&&s.fieldKind!="enum"||s.presence!=$n&&(o.add(s),r[s.localName]=Fo(s)));na.set(t,{prototype:r,members:o})}e=Object.create(r),e.$typeName=t.typeName;for(let s of t.members)o.has(s)||s.kind=="field"&&(s.fieldKind=="message"||(s.fieldKind=="scalar"||s.fieldKind=="enum")&&s.presence!=$n)||(e[s.localName]=Fo(s))}else{e={$typeName:t.typeName};for(let n of t.members)(n.kind=="oneof"||n.presence==$n)&&(e[n.localName]=Fo(n))}return e}function Pu(t){switch(t.file.edition){case Uu:return!1;case Ou:return!0;default:return t.fields.some(e=>e.presence!=$n&&e.fieldKind!="message"&&!e.oneof)}}function Fo(t){if(t.kind=="oneof")return{case:void 0};if(t.fieldKind=="list")return[];if(t.fieldKind=="map")return{};if(t.fieldKind=="message")return Vu;let e=t.getDefaultValue();return e!==void 0?t.fieldKind=="scalar"&&t.longAsString?e.toString():e:t.fieldKind=="scalar"?q(t.scalar,t.longAsString):t.enum.values[0].number}function J(t,e,n=!0){return new Gn(t,e,n)}var Gn=class{get sortedFields(){var e;return(e=this._sortedFields)!==null&&e!==void 0?e:this._sortedFields=this.desc.fields.concat().sort((n,r)=>n.number-r.number)}constructor(e,n,r=!0){this.lists=new Map,this.maps=new Map,this.check=r,this.desc=e,this.message=this[oe]=n??I(e),this.fields=e.fields,this.oneofs=e.oneofs,this.members=e.members}findNumber(e){return this._fieldsByNumber||(this._fieldsByNumber=new Map(this.desc.fields.map(n=>[n.number,n]))),this._fieldsByNumber.get(e)}oneofCase(e){return Pt(this.message,e),An(this.message,e)}isSet(e){return Pt(this.message,e),Ti(this.message,e)}clear(e){Pt(this.message,e),Ci(this.message,e)}get(e){Pt(this.message,e);let n=Nn(this.message,e);switch(e.fieldKind){case"list":let r=this.lists.get(e);return(!r||r[oe]!==n)&&this.lists.set(e,r=new Zo(e,n,this.check)),r;case"map":let o=this.maps.get(e);return(!o||o[oe]!==n)&&this.maps.set(e,o=new Ko(e,n,this.check)),o;case"message":return jo(e,n,this.check);case"scalar":return n===void 0?q(e.scalar,!1):Ho(e,n);case"enum":return n??e.enum.values[0].number}}set(e,n){if(Pt(this.message,e),this.check){let o=ye(e,n);if(o)throw o}let r;e.fieldKind=="message"?r=Xo(e,n):Ft(n)||Bt(n)?r=n[oe]:r=Qo(e,n),Rn(this.message,e,r)}getUnknown(){return this.message.$unknown}setUnknown(e){this.message.$unknown=e}};function Pt(t,e){if(e.parent.typeName!==t.$typeName)throw new U(e,`cannot use ${e.toString()} with message ${t.$typeName}`,"ForeignFieldError")}var Zo=class{field(){return this._field}get size(){return this._arr.length}constructor(e,n,r){this._field=e,this._arr=this[oe]=n,this.check=r}get(e){let n=this._arr[e];return n===void 0?void 0:Po(this._field,n,this.check)}set(e,n){if(e<0||e>=this._arr.length)throw new U(this._field,`list item #${e+1}: out of range`);if(this.check){let r=Do(this._field,e,n);if(r)throw r}this._arr[e]=oa(this._field,n)}add(e){if(this.check){let n=Do(this._field,this._arr.length,e);if(n)throw n}this._arr.push(oa(this._field,e))}clear(){this._arr.splice(0,this._arr.length)}[Symbol.iterator](){return this.values()}keys(){return this._arr.keys()}*values(){for(let e of this._arr)yield Po(this._field,e,this.check)}*entries(){for(let e=0;e<this._arr.length;e++)yield[e,Po(this._field,this._arr[e],this.check)]}};var Ko=class{constructor(e,n,r=!0){this.obj=this[oe]=n??{},this.check=r,this._field=e}field(){return this._field}set(e,n){if(this.check){let r=Xi(this._field,e,n);if(r)throw r}return this.obj[Mn(e)]=Yu(this._field,n),this}delete(e){let n=Mn(e),r=Object.prototype.hasOwnProperty.call(this.obj,n);return r&&delete this.obj[n],r}clear(){for(let e of Object.keys(this.obj))delete this.obj[e]}get(e){let n=this.obj[Mn(e)];return n!==void 0&&(n=Yo(this._field,n,this.check)),n}has(e){return Object.prototype.hasOwnProperty.call(this.obj,Mn(e))}*keys(){for(let e of Object.keys(this.obj))yield sa(e,this._field.mapKey)}*entries(){for(let e of Object.entries(this.obj))yield[sa(e[0],this._field.mapKey),Yo(this._field,e[1],this.check)]}[Symbol.iterator](){return this.entries()}get size(){return Object.keys(this.obj).length}*values(){for(let e of Object.values(this.obj))yield Yo(this._field,e,this.check)}forEach(e,n){for(let r of this.entries())e.call(n,r[1],r[0],this)}};function Xo(t,e){return Vt(e)?qi(e.message)&&!t.oneof&&t.fieldKind=="message"?e.message.value:e.desc.typeName=="google.protobuf.Struct"&&t.parent.typeName!="google.protobuf.Value"?aa(e.message):e.message:e}function jo(t,e,n){return e!==void 0&&(le(t.message)&&!t.oneof&&t.fieldKind=="message"?e={$typeName:t.message.typeName,value:Ho(t.message.fields[0],e)}:t.message.typeName=="google.protobuf.Struct"&&t.parent.typeName!="google.protobuf.Value"&&ae(e)&&(e=ia(e))),new Gn(t.message,e,n)}function oa(t,e){return t.listKind=="message"?Xo(t,e):Qo(t,e)}function Po(t,e,n){return t.listKind=="message"?jo(t,e,n):Ho(t,e)}function Yu(t,e){return t.mapKind=="message"?Xo(t,e):Qo(t,e)}function Yo(t,e,n){return t.mapKind=="message"?jo(t,e,n):e}function Mn(t){return typeof t=="string"||typeof t=="number"?t:String(t)}function sa(t,e){switch(e){case d.STRING:return t;case d.INT32:case d.FIXED32:case d.UINT32:case d.SFIXED32:case d.SINT32:{let n=Number.parseInt(t);if(Number.isFinite(n))return n;break}case d.BOOL:switch(t){case"true":return!0;case"false":return!1}break;case d.UINT64:case d.FIXED64:try{return N.uParse(t)}catch{}break;default:try{return N.parse(t)}catch{}break}return t}function Ho(t,e){switch(t.scalar){case d.INT64:case d.SFIXED64:case d.SINT64:"longAsString"in t&&t.longAsString&&typeof e=="string"&&(e=N.parse(e));break;case d.FIXED64:case d.UINT64:"longAsString"in t&&t.longAsString&&typeof e=="string"&&(e=N.uParse(e));break}return e}function Qo(t,e){switch(t.scalar){case d.INT64:case d.SFIXED64:case d.SINT64:"longAsString"in t&&t.longAsString?e=String(e):(typeof e=="string"||typeof e=="number")&&(e=N.parse(e));break;case d.FIXED64:case d.UINT64:"longAsString"in t&&t.longAsString?e=String(e):(typeof e=="string"||typeof e=="number")&&(e=N.uParse(e));break}return e}function ia(t){let e={$typeName:"google.protobuf.Struct",fields:{}};if(ae(t))for(let[n,r]of Object.entries(t))e.fields[n]=ca(r);return e}function aa(t){let e={};for(let[n,r]of Object.entries(t.fields))e[n]=la(r);return e}function la(t){switch(t.kind.case){case"structValue":return aa(t.kind.value);case"listValue":return t.kind.value.values.map(la);case"nullValue":case void 0:return null;default:return t.kind.value}}function ca(t){let e={$typeName:"google.protobuf.Value",kind:{case:void 0}};switch(typeof t){case"number":e.kind={case:"numberValue",value:t};break;case"string":e.kind={case:"stringValue",value:t};break;case"boolean":e.kind={case:"boolValue",value:t};break;case"object":if(t===null)e.kind={case:"nullValue",value:0};else if(Array.isArray(t)){let n={$typeName:"google.protobuf.ListValue",values:[]};if(Array.isArray(t))for(let r of t)n.values.push(ca(r));e.kind={case:"listValue",value:n}}else e.kind={case:"structValue",value:ia(t)};break}return e}var Zu=3,da={writeUnknownFields:!0};function Ku(t){return t?Object.assign(Object.assign({},da),t):da}function Yt(t,e,n){return Jn(new Ce,Ku(n),J(t,e)).finish()}function Jn(t,e,n){var r;for(let o of n.sortedFields){if(!n.isSet(o)){if(o.presence==Zu)throw new Error(`cannot encode ${o} to binary: required field not set`);continue}zo(t,e,n,o)}if(e.writeUnknownFields)for(let{no:o,wireType:s,data:i}of(r=n.getUnknown())!==null&&r!==void 0?r:[])t.tag(o,s).raw(i);return t}function zo(t,e,n,r){var o;switch(r.fieldKind){case"scalar":case"enum":Un(t,n.desc.typeName,r.name,(o=r.scalar)!==null&&o!==void 0?o:d.INT32,r.number,n.get(r));break;case"list":Xu(t,e,r,n.get(r));break;case"message":ua(t,e,r,n.get(r));break;case"map":for(let[s,i]of n.get(r))ju(t,e,r,s,i);break}}function Un(t,e,n,r,o,s){pa(t.tag(o,Hu(r)),e,n,r,s)}function ua(t,e,n,r){n.delimitedEncoding?Jn(t.tag(n.number,_.StartGroup),e,r).tag(n.number,_.EndGroup):Jn(t.tag(n.number,_.LengthDelimited).fork(),e,r).join()}function Xu(t,e,n,r){var o;if(n.listKind=="message"){for(let i of r)ua(t,e,n,i);return}let s=(o=n.scalar)!==null&&o!==void 0?o:d.INT32;if(n.packed){if(!r.size)return;t.tag(n.number,_.LengthDelimited).fork();for(let i of r)pa(t,n.parent.typeName,n.name,s,i);t.join();return}for(let i of r)Un(t,n.parent.typeName,n.name,s,n.number,i)}function ju(t,e,n,r,o){var s;switch(t.tag(n.number,_.LengthDelimited).fork(),Un(t,n.parent.typeName,n.name,n.mapKey,1,r),n.mapKind){case"scalar":case"enum":Un(t,n.parent.typeName,n.name,(s=n.scalar)!==null&&s!==void 0?s:d.INT32,2,o);break;case"message":Jn(t.tag(2,_.LengthDelimited).fork(),e,o).join();break}t.join()}function pa(t,e,n,r,o){try{switch(r){case d.STRING:t.string(o);break;case d.BOOL:t.bool(o);break;case d.DOUBLE:t.double(o);break;case d.FLOAT:t.float(o);break;case d.INT32:t.int32(o);break;case d.INT64:t.int64(o);break;case d.UINT64:t.uint64(o);break;case d.FIXED64:t.fixed64(o);break;case d.BYTES:t.bytes(o);break;case d.FIXED32:t.fixed32(o);break;case d.SFIXED32:t.sfixed32(o);break;case d.SFIXED64:t.sfixed64(o);break;case d.SINT64:t.sint64(o);break;case d.UINT32:t.uint32(o);break;case d.SINT32:t.sint32(o);break}}catch(s){throw s instanceof Error?new Error(`cannot encode field ${e}.${n} to binary: ${s.message}`):s}}function Hu(t){switch(t){case d.BYTES:case d.STRING:return _.LengthDelimited;case d.DOUBLE:case d.FIXED64:case d.SFIXED64:return _.Bit64;case d.FIXED32:case d.SFIXED32:case d.FLOAT:return _.Bit32;default:return _.Varint}}function k(t,e,...n){return n.reduce((r,o)=>r.nestedMessages[o],t.messages[e])}var Qu=Fi({name:"google/protobuf/descriptor.proto",package:"google.protobuf",messageType:[{name:"FileDescriptorSet",field:[{name:"file",number:1,type:11,label:3,typeName:".google.protobuf.FileDescriptorProto"}],extensionRange:[{start:536e6,end:536000001}]},{name:"FileDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"package",number:2,type:9,label:1},{name:"dependency",number:3,type:9,label:3},{name:"public_dependency",number:10,type:5,label:3},{name:"weak_dependency",number:11,type:5,label:3},{name:"option_dependency",number:15,type:9,label:3},{name:"message_type",number:4,type:11,label:3,typeName:".google.protobuf.DescriptorProto"},{name:"enum_type",number:5,type:11,label:3,typeName:".google.protobuf.EnumDescriptorProto"},{name:"service",number:6,type:11,label:3,typeName:".google.protobuf.ServiceDescriptorProto"},{name:"extension",number:7,type:11,label:3,typeName:".google.protobuf.FieldDescriptorProto"},{name:"options",number:8,type:11,label:1,typeName:".google.protobuf.FileOptions"},{name:"source_code_info",number:9,type:11,label:1,typeName:".google.protobuf.SourceCodeInfo"},{name:"syntax",number:12,type:9,label:1},{name:"edition",number:14,type:14,label:1,typeName:".google.protobuf.Edition"}]},{name:"DescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"field",number:2,type:11,label:3,typeName:".google.protobuf.FieldDescriptorProto"},{name:"extension",number:6,type:11,label:3,typeName:".google.protobuf.FieldDescriptorProto"},{name:"nested_type",number:3,type:11,label:3,typeName:".google.protobuf.DescriptorProto"},{name:"enum_type",number:4,type:11,label:3,typeName:".google.protobuf.EnumDescriptorProto"},{name:"extension_range",number:5,type:11,label:3,typeName:".google.protobuf.DescriptorProto.ExtensionRange"},{name:"oneof_decl",number:8,type:11,label:3,typeName:".google.protobuf.OneofDescriptorProto"},{name:"options",number:7,type:11,label:1,typeName:".google.protobuf.MessageOptions"},{name:"reserved_range",number:9,type:11,label:3,typeName:".google.protobuf.DescriptorProto.ReservedRange"},{name:"reserved_name",number:10,type:9,label:3},{name:"visibility",number:11,type:14,label:1,typeName:".google.protobuf.SymbolVisibility"}],nestedType:[{name:"ExtensionRange",field:[{name:"start",number:1,type:5,label:1},{name:"end",number:2,type:5,label:1},{name:"options",number:3,type:11,label:1,typeName:".google.protobuf.ExtensionRangeOptions"}]},{name:"ReservedRange",field:[{name:"start",number:1,type:5,label:1},{name:"end",number:2,type:5,label:1}]}]},{name:"ExtensionRangeOptions",field:[{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"},{name:"declaration",number:2,type:11,label:3,typeName:".google.protobuf.ExtensionRangeOptions.Declaration",options:{retention:2}},{name:"features",number:50,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"verification",number:3,type:14,label:1,typeName:".google.protobuf.ExtensionRangeOptions.VerificationState",defaultValue:"UNVERIFIED",options:{retention:2}}],nestedType:[{name:"Declaration",field:[{name:"number",number:1,type:5,label:1},{name:"full_name",number:2,type:9,label:1},{name:"type",number:3,type:9,label:1},{name:"reserved",number:5,type:8,label:1},{name:"repeated",number:6,type:8,label:1}]}],enumType:[{name:"VerificationState",value:[{name:"DECLARATION",number:0},{name:"UNVERIFIED",number:1}]}],extensionRange:[{start:1e3,end:536870912}]},{name:"FieldDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"number",number:3,type:5,label:1},{name:"label",number:4,type:14,label:1,typeName:".google.protobuf.FieldDescriptorProto.Label"},{name:"type",number:5,type:14,label:1,typeName:".google.protobuf.FieldDescriptorProto.Type"},{name:"type_name",number:6,type:9,label:1},{name:"extendee",number:2,type:9,label:1},{name:"default_value",number:7,type:9,label:1},{name:"oneof_index",number:9,type:5,label:1},{name:"json_name",number:10,type:9,label:1},{name:"options",number:8,type:11,label:1,typeName:".google.protobuf.FieldOptions"},{name:"proto3_optional",number:17,type:8,label:1}],enumType:[{name:"Type",value:[{name:"TYPE_DOUBLE",number:1},{name:"TYPE_FLOAT",number:2},{name:"TYPE_INT64",number:3},{name:"TYPE_UINT64",number:4},{name:"TYPE_INT32",number:5},{name:"TYPE_FIXED64",number:6},{name:"TYPE_FIXED32",number:7},{name:"TYPE_BOOL",number:8},{name:"TYPE_STRING",number:9},{name:"TYPE_GROUP",number:10},{name:"TYPE_MESSAGE",number:11},{name:"TYPE_BYTES",number:12},{name:"TYPE_UINT32",number:13},{name:"TYPE_ENUM",number:14},{name:"TYPE_SFIXED32",number:15},{name:"TYPE_SFIXED64",number:16},{name:"TYPE_SINT32",number:17},{name:"TYPE_SINT64",number:18}]},{name:"Label",value:[{name:"LABEL_OPTIONAL",number:1},{name:"LABEL_REPEATED",number:3},{name:"LABEL_REQUIRED",number:2}]}]},{name:"OneofDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"options",number:2,type:11,label:1,typeName:".google.protobuf.OneofOptions"}]},{name:"EnumDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"value",number:2,type:11,label:3,typeName:".google.protobuf.EnumValueDescriptorProto"},{name:"options",number:3,type:11,label:1,typeName:".google.protobuf.EnumOptions"},{name:"reserved_range",number:4,type:11,label:3,typeName:".google.protobuf.EnumDescriptorProto.EnumReservedRange"},{name:"reserved_name",number:5,type:9,label:3},{name:"visibility",number:6,type:14,label:1,typeName:".google.protobuf.SymbolVisibility"}],nestedType:[{name:"EnumReservedRange",field:[{name:"start",number:1,type:5,label:1},{name:"end",number:2,type:5,label:1}]}]},{name:"EnumValueDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"number",number:2,type:5,label:1},{name:"options",number:3,type:11,label:1,typeName:".google.protobuf.EnumValueOptions"}]},{name:"ServiceDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"method",number:2,type:11,label:3,typeName:".google.protobuf.MethodDescriptorProto"},{name:"options",number:3,type:11,label:1,typeName:".google.protobuf.ServiceOptions"}]},{name:"MethodDescriptorProto",field:[{name:"name",number:1,type:9,label:1},{name:"input_type",number:2,type:9,label:1},{name:"output_type",number:3,type:9,label:1},{name:"options",number:4,type:11,label:1,typeName:".google.protobuf.MethodOptions"},{name:"client_streaming",number:5,type:8,label:1,defaultValue:"false"},{name:"server_streaming",number:6,type:8,label:1,defaultValue:"false"}]},{name:"FileOptions",field:[{name:"java_package",number:1,type:9,label:1},{name:"java_outer_classname",number:8,type:9,label:1},{name:"java_multiple_files",number:10,type:8,label:1,defaultValue:"false"},{name:"java_generate_equals_and_hash",number:20,type:8,label:1,options:{deprecated:!0}},{name:"java_string_check_utf8",number:27,type:8,label:1,defaultValue:"false"},{name:"optimize_for",number:9,type:14,label:1,typeName:".google.protobuf.FileOptions.OptimizeMode",defaultValue:"SPEED"},{name:"go_package",number:11,type:9,label:1},{name:"cc_generic_services",number:16,type:8,label:1,defaultValue:"false"},{name:"java_generic_services",number:17,type:8,label:1,defaultValue:"false"},{name:"py_generic_services",number:18,type:8,label:1,defaultValue:"false"},{name:"deprecated",number:23,type:8,label:1,defaultValue:"false"},{name:"cc_enable_arenas",number:31,type:8,label:1,defaultValue:"true"},{name:"objc_class_prefix",number:36,type:9,label:1},{name:"csharp_namespace",number:37,type:9,label:1},{name:"swift_prefix",number:39,type:9,label:1},{name:"php_class_prefix",number:40,type:9,label:1},{name:"php_namespace",number:41,type:9,label:1},{name:"php_metadata_namespace",number:44,type:9,label:1},{name:"ruby_package",number:45,type:9,label:1},{name:"features",number:50,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],enumType:[{name:"OptimizeMode",value:[{name:"SPEED",number:1},{name:"CODE_SIZE",number:2},{name:"LITE_RUNTIME",number:3}]}],extensionRange:[{start:1e3,end:536870912}]},{name:"MessageOptions",field:[{name:"message_set_wire_format",number:1,type:8,label:1,defaultValue:"false"},{name:"no_standard_descriptor_accessor",number:2,type:8,label:1,defaultValue:"false"},{name:"deprecated",number:3,type:8,label:1,defaultValue:"false"},{name:"map_entry",number:7,type:8,label:1},{name:"deprecated_legacy_json_field_conflicts",number:11,type:8,label:1,options:{deprecated:!0}},{name:"features",number:12,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],extensionRange:[{start:1e3,end:536870912}]},{name:"FieldOptions",field:[{name:"ctype",number:1,type:14,label:1,typeName:".google.protobuf.FieldOptions.CType",defaultValue:"STRING"},{name:"packed",number:2,type:8,label:1},{name:"jstype",number:6,type:14,label:1,typeName:".google.protobuf.FieldOptions.JSType",defaultValue:"JS_NORMAL"},{name:"lazy",number:5,type:8,label:1,defaultValue:"false"},{name:"unverified_lazy",number:15,type:8,label:1,defaultValue:"false"},{name:"deprecated",number:3,type:8,label:1,defaultValue:"false"},{name:"weak",number:10,type:8,label:1,defaultValue:"false"},{name:"debug_redact",number:16,type:8,label:1,defaultValue:"false"},{name:"retention",number:17,type:14,label:1,typeName:".google.protobuf.FieldOptions.OptionRetention"},{name:"targets",number:19,type:14,label:3,typeName:".google.protobuf.FieldOptions.OptionTargetType"},{name:"edition_defaults",number:20,type:11,label:3,typeName:".google.protobuf.FieldOptions.EditionDefault"},{name:"features",number:21,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"feature_support",number:22,type:11,label:1,typeName:".google.protobuf.FieldOptions.FeatureSupport"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],nestedType:[{name:"EditionDefault",field:[{name:"edition",number:3,type:14,label:1,typeName:".google.protobuf.Edition"},{name:"value",number:2,type:9,label:1}]},{name:"FeatureSupport",field:[{name:"edition_introduced",number:1,type:14,label:1,typeName:".google.protobuf.Edition"},{name:"edition_deprecated",number:2,type:14,label:1,typeName:".google.protobuf.Edition"},{name:"deprecation_warning",number:3,type:9,label:1},{name:"edition_removed",number:4,type:14,label:1,typeName:".google.protobuf.Edition"}]}],enumType:[{name:"CType",value:[{name:"STRING",number:0},{name:"CORD",number:1},{name:"STRING_PIECE",number:2}]},{name:"JSType",value:[{name:"JS_NORMAL",number:0},{name:"JS_STRING",number:1},{name:"JS_NUMBER",number:2}]},{name:"OptionRetention",value:[{name:"RETENTION_UNKNOWN",number:0},{name:"RETENTION_RUNTIME",number:1},{name:"RETENTION_SOURCE",number:2}]},{name:"OptionTargetType",value:[{name:"TARGET_TYPE_UNKNOWN",number:0},{name:"TARGET_TYPE_FILE",number:1},{name:"TARGET_TYPE_EXTENSION_RANGE",number:2},{name:"TARGET_TYPE_MESSAGE",number:3},{name:"TARGET_TYPE_FIELD",number:4},{name:"TARGET_TYPE_ONEOF",number:5},{name:"TARGET_TYPE_ENUM",number:6},{name:"TARGET_TYPE_ENUM_ENTRY",number:7},{name:"TARGET_TYPE_SERVICE",number:8},{name:"TARGET_TYPE_METHOD",number:9}]}],extensionRange:[{start:1e3,end:536870912}]},{name:"OneofOptions",field:[{name:"features",number:1,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],extensionRange:[{start:1e3,end:536870912}]},{name:"EnumOptions",field:[{name:"allow_alias",number:2,type:8,label:1},{name:"deprecated",number:3,type:8,label:1,defaultValue:"false"},{name:"deprecated_legacy_json_field_conflicts",number:6,type:8,label:1,options:{deprecated:!0}},{name:"features",number:7,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],extensionRange:[{start:1e3,end:536870912}]},{name:"EnumValueOptions",field:[{name:"deprecated",number:1,type:8,label:1,defaultValue:"false"},{name:"features",number:2,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"debug_redact",number:3,type:8,label:1,defaultValue:"false"},{name:"feature_support",number:4,type:11,label:1,typeName:".google.protobuf.FieldOptions.FeatureSupport"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],extensionRange:[{start:1e3,end:536870912}]},{name:"ServiceOptions",field:[{name:"features",number:34,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"deprecated",number:33,type:8,label:1,defaultValue:"false"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],extensionRange:[{start:1e3,end:536870912}]},{name:"MethodOptions",field:[{name:"deprecated",number:33,type:8,label:1,defaultValue:"false"},{name:"idempotency_level",number:34,type:14,label:1,typeName:".google.protobuf.MethodOptions.IdempotencyLevel",defaultValue:"IDEMPOTENCY_UNKNOWN"},{name:"features",number:35,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"uninterpreted_option",number:999,type:11,label:3,typeName:".google.protobuf.UninterpretedOption"}],enumType:[{name:"IdempotencyLevel",value:[{name:"IDEMPOTENCY_UNKNOWN",number:0},{name:"NO_SIDE_EFFECTS",number:1},{name:"IDEMPOTENT",number:2}]}],extensionRange:[{start:1e3,end:536870912}]},{name:"UninterpretedOption",field:[{name:"name",number:2,type:11,label:3,typeName:".google.protobuf.UninterpretedOption.NamePart"},{name:"identifier_value",number:3,type:9,label:1},{name:"positive_int_value",number:4,type:4,label:1},{name:"negative_int_value",number:5,type:3,label:1},{name:"double_value",number:6,type:1,label:1},{name:"string_value",number:7,type:12,label:1},{name:"aggregate_value",number:8,type:9,label:1}],nestedType:[{name:"NamePart",field:[{name:"name_part",number:1,type:9,label:2},{name:"is_extension",number:2,type:8,label:2}]}]},{name:"FeatureSet",field:[{name:"field_presence",number:1,type:14,label:1,typeName:".google.protobuf.FeatureSet.FieldPresence",options:{retention:1,targets:[4,1],editionDefaults:[{value:"EXPLICIT",edition:900},{value:"IMPLICIT",edition:999},{value:"EXPLICIT",edition:1e3}]}},{name:"enum_type",number:2,type:14,label:1,typeName:".google.protobuf.FeatureSet.EnumType",options:{retention:1,targets:[6,1],editionDefaults:[{value:"CLOSED",edition:900},{value:"OPEN",edition:999}]}},{name:"repeated_field_encoding",number:3,type:14,label:1,typeName:".google.protobuf.FeatureSet.RepeatedFieldEncoding",options:{retention:1,targets:[4,1],editionDefaults:[{value:"EXPANDED",edition:900},{value:"PACKED",edition:999}]}},{name:"utf8_validation",number:4,type:14,label:1,typeName:".google.protobuf.FeatureSet.Utf8Validation",options:{retention:1,targets:[4,1],editionDefaults:[{value:"NONE",edition:900},{value:"VERIFY",edition:999}]}},{name:"message_encoding",number:5,type:14,label:1,typeName:".google.protobuf.FeatureSet.MessageEncoding",options:{retention:1,targets:[4,1],editionDefaults:[{value:"LENGTH_PREFIXED",edition:900}]}},{name:"json_format",number:6,type:14,label:1,typeName:".google.protobuf.FeatureSet.JsonFormat",options:{retention:1,targets:[3,6,1],editionDefaults:[{value:"LEGACY_BEST_EFFORT",edition:900},{value:"ALLOW",edition:999}]}},{name:"enforce_naming_style",number:7,type:14,label:1,typeName:".google.protobuf.FeatureSet.EnforceNamingStyle",options:{retention:2,targets:[1,2,3,4,5,6,7,8,9],editionDefaults:[{value:"STYLE_LEGACY",edition:900},{value:"STYLE2024",edition:1001}]}},{name:"default_symbol_visibility",number:8,type:14,label:1,typeName:".google.protobuf.FeatureSet.VisibilityFeature.DefaultSymbolVisibility",options:{retention:2,targets:[1],editionDefaults:[{value:"EXPORT_ALL",edition:900},{value:"EXPORT_TOP_LEVEL",edition:1001}]}}],nestedType:[{name:"VisibilityFeature",enumType:[{name:"DefaultSymbolVisibility",value:[{name:"DEFAULT_SYMBOL_VISIBILITY_UNKNOWN",number:0},{name:"EXPORT_ALL",number:1},{name:"EXPORT_TOP_LEVEL",number:2},{name:"LOCAL_ALL",number:3},{name:"STRICT",number:4}]}]}],enumType:[{name:"FieldPresence",value:[{name:"FIELD_PRESENCE_UNKNOWN",number:0},{name:"EXPLICIT",number:1},{name:"IMPLICIT",number:2},{name:"LEGACY_REQUIRED",number:3}]},{name:"EnumType",value:[{name:"ENUM_TYPE_UNKNOWN",number:0},{name:"OPEN",number:1},{name:"CLOSED",number:2}]},{name:"RepeatedFieldEncoding",value:[{name:"REPEATED_FIELD_ENCODING_UNKNOWN",number:0},{name:"PACKED",number:1},{name:"EXPANDED",number:2}]},{name:"Utf8Validation",value:[{name:"UTF8_VALIDATION_UNKNOWN",number:0},{name:"VERIFY",number:2},{name:"NONE",number:3}]},{name:"MessageEncoding",value:[{name:"MESSAGE_ENCODING_UNKNOWN",number:0},{name:"LENGTH_PREFIXED",number:1},{name:"DELIMITED",number:2}]},{name:"JsonFormat",value:[{name:"JSON_FORMAT_UNKNOWN",number:0},{name:"ALLOW",number:1},{name:"LEGACY_BEST_EFFORT",number:2}]},{name:"EnforceNamingStyle",value:[{name:"ENFORCE_NAMING_STYLE_UNKNOWN",number:0},{name:"STYLE2024",number:1},{name:"STYLE_LEGACY",number:2}]}],extensionRange:[{start:1e3,end:9995},{start:9995,end:1e4},{start:1e4,end:10001}]},{name:"FeatureSetDefaults",field:[{name:"defaults",number:1,type:11,label:3,typeName:".google.protobuf.FeatureSetDefaults.FeatureSetEditionDefault"},{name:"minimum_edition",number:4,type:14,label:1,typeName:".google.protobuf.Edition"},{name:"maximum_edition",number:5,type:14,label:1,typeName:".google.protobuf.Edition"}],nestedType:[{name:"FeatureSetEditionDefault",field:[{name:"edition",number:3,type:14,label:1,typeName:".google.protobuf.Edition"},{name:"overridable_features",number:4,type:11,label:1,typeName:".google.protobuf.FeatureSet"},{name:"fixed_features",number:5,type:11,label:1,typeName:".google.protobuf.FeatureSet"}]}]},{name:"SourceCodeInfo",field:[{name:"location",number:1,type:11,label:3,typeName:".google.protobuf.SourceCodeInfo.Location"}],nestedType:[{name:"Location",field:[{name:"path",number:1,type:5,label:3,options:{packed:!0}},{name:"span",number:2,type:5,label:3,options:{packed:!0}},{name:"leading_comments",number:3,type:9,label:1},{name:"trailing_comments",number:4,type:9,label:1},{name:"leading_detached_comments",number:6,type:9,label:3}]}],extensionRange:[{start:536e6,end:536000001}]},{name:"GeneratedCodeInfo",field:[{name:"annotation",number:1,type:11,label:3,typeName:".google.protobuf.GeneratedCodeInfo.Annotation"}],nestedType:[{name:"Annotation",field:[{name:"path",number:1,type:5,label:3,options:{packed:!0}},{name:"source_file",number:2,type:9,label:1},{name:"begin",number:3,type:5,label:1},{name:"end",number:4,type:5,label:1},{name:"semantic",number:5,type:14,label:1,typeName:".google.protobuf.GeneratedCodeInfo.Annotation.Semantic"}],enumType:[{name:"Semantic",value:[{name:"NONE",number:0},{name:"SET",number:1},{name:"ALIAS",number:2}]}]}]}],enumType:[{name:"Edition",value:[{name:"EDITION_UNKNOWN",number:0},{name:"EDITION_LEGACY",number:900},{name:"EDITION_PROTO2",number:998},{name:"EDITION_PROTO3",number:999},{name:"EDITION_2023",number:1e3},{name:"EDITION_2024",number:1001},{name:"EDITION_1_TEST_ONLY",number:1},{name:"EDITION_2_TEST_ONLY",number:2},{name:"EDITION_99997_TEST_ONLY",number:99997},{name:"EDITION_99998_TEST_ONLY",number:99998},{name:"EDITION_99999_TEST_ONLY",number:99999},{name:"EDITION_MAX",number:2147483647}]},{name:"SymbolVisibility",value:[{name:"VISIBILITY_UNSET",number:0},{name:"VISIBILITY_LOCAL",number:1},{name:"VISIBILITY_EXPORT",number:2}]}]});var _a=k(Qu,1);var ma;(function(t){t[t.DECLARATION=0]="DECLARATION",t[t.UNVERIFIED=1]="UNVERIFIED"})(ma||(ma={}));var fa;(function(t){t[t.DOUBLE=1]="DOUBLE",t[t.FLOAT=2]="FLOAT",t[t.INT64=3]="INT64",t[t.UINT64=4]="UINT64",t[t.INT32=5]="INT32",t[t.FIXED64=6]="FIXED64",t[t.FIXED32=7]="FIXED32",t[t.BOOL=8]="BOOL",t[t.STRING=9]="STRING",t[t.GROUP=10]="GROUP",t[t.MESSAGE=11]="MESSAGE",t[t.BYTES=12]="BYTES",t[t.UINT32=13]="UINT32",t[t.ENUM=14]="ENUM",t[t.SFIXED32=15]="SFIXED32",t[t.SFIXED64=16]="SFIXED64",t[t.SINT32=17]="SINT32",t[t.SINT64=18]="SINT64"})(fa||(fa={}));var ha;(function(t){t[t.OPTIONAL=1]="OPTIONAL",t[t.REPEATED=3]="REPEATED",t[t.REQUIRED=2]="REQUIRED"})(ha||(ha={}));var ga;(function(t){t[t.SPEED=1]="SPEED",t[t.CODE_SIZE=2]="CODE_SIZE",t[t.LITE_RUNTIME=3]="LITE_RUNTIME"})(ga||(ga={}));var ba;(function(t){t[t.STRING=0]="STRING",t[t.CORD=1]="CORD",t[t.STRING_PIECE=2]="STRING_PIECE"})(ba||(ba={}));var ya;(function(t){t[t.JS_NORMAL=0]="JS_NORMAL",t[t.JS_STRING=1]="JS_STRING",t[t.JS_NUMBER=2]="JS_NUMBER"})(ya||(ya={}));var va;(function(t){t[t.RETENTION_UNKNOWN=0]="RETENTION_UNKNOWN",t[t.RETENTION_RUNTIME=1]="RETENTION_RUNTIME",t[t.RETENTION_SOURCE=2]="RETENTION_SOURCE"})(va||(va={}));var Ea;(function(t){t[t.TARGET_TYPE_UNKNOWN=0]="TARGET_TYPE_UNKNOWN",t[t.TARGET_TYPE_FILE=1]="TARGET_TYPE_FILE",t[t.TARGET_TYPE_EXTENSION_RANGE=2]="TARGET_TYPE_EXTENSION_RANGE",t[t.TARGET_TYPE_MESSAGE=3]="TARGET_TYPE_MESSAGE",t[t.TARGET_TYPE_FIELD=4]="TARGET_TYPE_FIELD",t[t.TARGET_TYPE_ONEOF=5]="TARGET_TYPE_ONEOF",t[t.TARGET_TYPE_ENUM=6]="TARGET_TYPE_ENUM",t[t.TARGET_TYPE_ENUM_ENTRY=7]="TARGET_TYPE_ENUM_ENTRY",t[t.TARGET_TYPE_SERVICE=8]="TARGET_TYPE_SERVICE",t[t.TARGET_TYPE_METHOD=9]="TARGET_TYPE_METHOD"})(Ea||(Ea={}));var On;(function(t){t[t.IDEMPOTENCY_UNKNOWN=0]="IDEMPOTENCY_UNKNOWN",t[t.NO_SIDE_EFFECTS=1]="NO_SIDE_EFFECTS",t[t.IDEMPOTENT=2]="IDEMPOTENT"})(On||(On={}));var wa;(function(t){t[t.DEFAULT_SYMBOL_VISIBILITY_UNKNOWN=0]="DEFAULT_SYMBOL_VISIBILITY_UNKNOWN",t[t.EXPORT_ALL=1]="EXPORT_ALL",t[t.EXPORT_TOP_LEVEL=2]="EXPORT_TOP_LEVEL",t[t.LOCAL_ALL=3]="LOCAL_ALL",t[t.STRICT=4]="STRICT"})(wa||(wa={}));var Sa;(function(t){t[t.FIELD_PRESENCE_UNKNOWN=0]="FIELD_PRESENCE_UNKNOWN",t[t.EXPLICIT=1]="EXPLICIT",t[t.IMPLICIT=2]="IMPLICIT",t[t.LEGACY_REQUIRED=3]="LEGACY_REQUIRED"})(Sa||(Sa={}));var xa;(function(t){t[t.ENUM_TYPE_UNKNOWN=0]="ENUM_TYPE_UNKNOWN",t[t.OPEN=1]="OPEN",t[t.CLOSED=2]="CLOSED"})(xa||(xa={}));var Ia;(function(t){t[t.REPEATED_FIELD_ENCODING_UNKNOWN=0]="REPEATED_FIELD_ENCODING_UNKNOWN",t[t.PACKED=1]="PACKED",t[t.EXPANDED=2]="EXPANDED"})(Ia||(Ia={}));var Aa;(function(t){t[t.UTF8_VALIDATION_UNKNOWN=0]="UTF8_VALIDATION_UNKNOWN",t[t.VERIFY=2]="VERIFY",t[t.NONE=3]="NONE"})(Aa||(Aa={}));var Na;(function(t){t[t.MESSAGE_ENCODING_UNKNOWN=0]="MESSAGE_ENCODING_UNKNOWN",t[t.LENGTH_PREFIXED=1]="LENGTH_PREFIXED",t[t.DELIMITED=2]="DELIMITED"})(Na||(Na={}));var Ra;(function(t){t[t.JSON_FORMAT_UNKNOWN=0]="JSON_FORMAT_UNKNOWN",t[t.ALLOW=1]="ALLOW",t[t.LEGACY_BEST_EFFORT=2]="LEGACY_BEST_EFFORT"})(Ra||(Ra={}));var ka;(function(t){t[t.ENFORCE_NAMING_STYLE_UNKNOWN=0]="ENFORCE_NAMING_STYLE_UNKNOWN",t[t.STYLE2024=1]="STYLE2024",t[t.STYLE_LEGACY=2]="STYLE_LEGACY"})(ka||(ka={}));var Ta;(function(t){t[t.NONE=0]="NONE",t[t.SET=1]="SET",t[t.ALIAS=2]="ALIAS"})(Ta||(Ta={}));var Ca;(function(t){t[t.EDITION_UNKNOWN=0]="EDITION_UNKNOWN",t[t.EDITION_LEGACY=900]="EDITION_LEGACY",t[t.EDITION_PROTO2=998]="EDITION_PROTO2",t[t.EDITION_PROTO3=999]="EDITION_PROTO3",t[t.EDITION_2023=1e3]="EDITION_2023",t[t.EDITION_2024=1001]="EDITION_2024",t[t.EDITION_1_TEST_ONLY=1]="EDITION_1_TEST_ONLY",t[t.EDITION_2_TEST_ONLY=2]="EDITION_2_TEST_ONLY",t[t.EDITION_99997_TEST_ONLY=99997]="EDITION_99997_TEST_ONLY",t[t.EDITION_99998_TEST_ONLY=99998]="EDITION_99998_TEST_ONLY",t[t.EDITION_99999_TEST_ONLY=99999]="EDITION_99999_TEST_ONLY",t[t.EDITION_MAX=2147483647]="EDITION_MAX"})(Ca||(Ca={}));var La;(function(t){t[t.VISIBILITY_UNSET=0]="VISIBILITY_UNSET",t[t.VISIBILITY_LOCAL=1]="VISIBILITY_LOCAL",t[t.VISIBILITY_EXPORT=2]="VISIBILITY_EXPORT"})(La||(La={}));var $a={readUnknownFields:!0};function zu(t){return t?Object.assign(Object.assign({},$a),t):$a}function ve(t,e,n){let r=J(t,void 0,!1);return Ma(r,new Ye(e),zu(n),!1,e.byteLength),r.message}function Ma(t,e,n,r,o){var s;let i=r?e.len:e.pos+o,a,l,c=(s=t.getUnknown())!==null&&s!==void 0?s:[];for(;e.pos<i&&([a,l]=e.tag(),!(r&&l==_.EndGroup));){let u=t.findNumber(a);if(!u){let m=e.skip(l,a);n.readUnknownFields&&c.push({no:a,wireType:l,data:m});continue}qo(t,e,u,l,n)}if(r&&(l!=_.EndGroup||a!==o))throw new Error("invalid end group tag");c.length>0&&t.setUnknown(c)}function qo(t,e,n,r,o){var s;switch(n.fieldKind){case"scalar":t.set(n,at(e,n.scalar));break;case"enum":let i=at(e,d.INT32);if(n.enum.open)t.set(n,i);else if(n.enum.values.some(l=>l.number===i))t.set(n,i);else if(o.readUnknownFields){let l=new Ce().int32(i).finish(),c=(s=t.getUnknown())!==null&&s!==void 0?s:[];c.push({no:n.number,wireType:r,data:l}),t.setUnknown(c)}break;case"message":t.set(n,es(e,o,n,t.get(n)));break;case"list":ep(e,r,t.get(n),o);break;case"map":qu(e,t.get(n),o);break}}function qu(t,e,n){let r=e.field(),o,s,i=t.uint32(),a=t.pos+i;for(;t.pos<a;){let[l]=t.tag();switch(l){case 1:o=at(t,r.mapKey);break;case 2:switch(r.mapKind){case"scalar":s=at(t,r.scalar);break;case"enum":s=t.int32();break;case"message":s=es(t,n,r);break}break}}if(o===void 0&&(o=q(r.mapKey,!1)),s===void 0)switch(r.mapKind){case"scalar":s=q(r.scalar,!1);break;case"enum":s=r.enum.values[0].number;break;case"message":s=J(r.message,void 0,!1);break}e.set(o,s)}function ep(t,e,n,r){var o;let s=n.field();if(s.listKind==="message"){n.add(es(t,r,s));return}let i=(o=s.scalar)!==null&&o!==void 0?o:d.INT32;if(!(e==_.LengthDelimited&&i!=d.STRING&&i!=d.BYTES)){n.add(at(t,i));return}let l=t.uint32()+t.pos;for(;t.pos<l;)n.add(at(t,i))}function es(t,e,n,r){let o=n.delimitedEncoding,s=r??J(n.message,void 0,!1);return Ma(s,t,e,o,o?n.number:t.uint32()),s}function at(t,e){switch(e){case d.STRING:return t.string();case d.BOOL:return t.bool();case d.DOUBLE:return t.double();case d.FLOAT:return t.float();case d.INT32:return t.int32();case d.INT64:return t.int64();case d.UINT64:return t.uint64();case d.FIXED64:return t.fixed64();case d.BYTES:return t.bytes();case d.FIXED32:return t.fixed32();case d.SFIXED32:return t.sfixed32();case d.SFIXED64:return t.sfixed64();case d.SINT64:return t.sint64();case d.UINT32:return t.uint32();case d.SINT32:return t.sint32()}}function F(t,e){var n;let r=ve(_a,it(t));return r.messageType.forEach(Gt),r.dependency=(n=e?.map(s=>s.proto.name))!==null&&n!==void 0?n:[],Tn(r,s=>e?.find(i=>i.proto.name===s)).getFile(r.name)}function Dn(t,e,...n){if(n.length>0)throw new Error;return t.services[e]}var Le=F("Ch9nb29nbGUvcHJvdG9idWYvdGltZXN0YW1wLnByb3RvEg9nb29nbGUucHJvdG9idWYiKwoJVGltZXN0YW1wEg8KB3NlY29uZHMYASABKAMSDQoFbmFub3MYAiABKAVChQEKE2NvbS5nb29nbGUucHJvdG9idWZCDlRpbWVzdGFtcFByb3RvUAFaMmdvb2dsZS5nb2xhbmcub3JnL3Byb3RvYnVmL3R5cGVzL2tub3duL3RpbWVzdGFtcHBi+AEBogIDR1BCqgIeR29vZ2xlLlByb3RvYnVmLldlbGxLbm93blR5cGVzYgZwcm90bzM");var ts=F("Chlnb29nbGUvcHJvdG9idWYvYW55LnByb3RvEg9nb29nbGUucHJvdG9idWYiJgoDQW55EhAKCHR5cGVfdXJsGAEgASgJEg0KBXZhbHVlGAIgASgMQnYKE2NvbS5nb29nbGUucHJvdG9idWZCCEFueVByb3RvUAFaLGdvb2dsZS5nb2xhbmcub3JnL3Byb3RvYnVmL3R5cGVzL2tub3duL2FueXBiogIDR1BCqgIeR29vZ2xlLlByb3RvYnVmLldlbGxLbm93blR5cGVzYgZwcm90bzM"),Ga=k(ts,0);function Ja(t,e,n){let r=!1;return n||(n=I(Ga),r=!0),n.value=Yt(t,e),n.typeUrl=rp(e.$typeName),r?n:void 0}function np(t,e){if(t.typeUrl==="")return!1;let n=typeof e=="string"?e:e.typeName,r=Ua(t.typeUrl);return n===r}function Zt(t,e){if(t.typeUrl==="")return;let n=e.kind=="message"?e:e.getMessage(Ua(t.typeUrl));if(!(!n||!np(t,n)))return ve(n,t.value)}function rp(t){return`type.googleapis.com/${t}`}function Ua(t){let e=t.lastIndexOf("/"),n=e>=0?t.substring(e+1):t;if(!n.length)throw new Error(`invalid type url: ${t}`);return n}var Ee=F("Ch5nb29nbGUvcHJvdG9idWYvZHVyYXRpb24ucHJvdG8SD2dvb2dsZS5wcm90b2J1ZiIqCghEdXJhdGlvbhIPCgdzZWNvbmRzGAEgASgDEg0KBW5hbm9zGAIgASgFQoMBChNjb20uZ29vZ2xlLnByb3RvYnVmQg1EdXJhdGlvblByb3RvUAFaMWdvb2dsZS5nb2xhbmcub3JnL3Byb3RvYnVmL3R5cGVzL2tub3duL2R1cmF0aW9ucGL4AQGiAgNHUEKqAh5Hb29nbGUuUHJvdG9idWYuV2VsbEtub3duVHlwZXNiBnByb3RvMw"),Oa=k(Ee,0);var we=F("Chxnb29nbGUvcHJvdG9idWYvc3RydWN0LnByb3RvEg9nb29nbGUucHJvdG9idWYihAEKBlN0cnVjdBIzCgZmaWVsZHMYASADKAsyIy5nb29nbGUucHJvdG9idWYuU3RydWN0LkZpZWxkc0VudHJ5GkUKC0ZpZWxkc0VudHJ5EgsKA2tleRgBIAEoCRIlCgV2YWx1ZRgCIAEoCzIWLmdvb2dsZS5wcm90b2J1Zi5WYWx1ZToCOAEi6gEKBVZhbHVlEjAKCm51bGxfdmFsdWUYASABKA4yGi5nb29nbGUucHJvdG9idWYuTnVsbFZhbHVlSAASFgoMbnVtYmVyX3ZhbHVlGAIgASgBSAASFgoMc3RyaW5nX3ZhbHVlGAMgASgJSAASFAoKYm9vbF92YWx1ZRgEIAEoCEgAEi8KDHN0cnVjdF92YWx1ZRgFIAEoCzIXLmdvb2dsZS5wcm90b2J1Zi5TdHJ1Y3RIABIwCgpsaXN0X3ZhbHVlGAYgASgLMhouZ29vZ2xlLnByb3RvYnVmLkxpc3RWYWx1ZUgAQgYKBGtpbmQiMwoJTGlzdFZhbHVlEiYKBnZhbHVlcxgBIAMoCzIWLmdvb2dsZS5wcm90b2J1Zi5WYWx1ZSobCglOdWxsVmFsdWUSDgoKTlVMTF9WQUxVRRAAQn8KE2NvbS5nb29nbGUucHJvdG9idWZCC1N0cnVjdFByb3RvUAFaL2dvb2dsZS5nb2xhbmcub3JnL3Byb3RvYnVmL3R5cGVzL2tub3duL3N0cnVjdHBi+AEBogIDR1BCqgIeR29vZ2xlLlByb3RvYnVmLldlbGxLbm93blR5cGVzYgZwcm90bzM"),Da=k(we,0),ns=k(we,1),Ba=k(we,2),Bn;(function(t){t[t.NULL_VALUE=0]="NULL_VALUE"})(Bn||(Bn={}));var Se=F("ChVtaWxlcG9zdC92MS9qb2IucHJvdG8SC21pbGVwb3N0LnYxIpQLCgNKb2ISDgoGam9iX2lkGAEgASgJEgwKBGtpbmQYAiABKAkSDQoFb3duZXIYAyABKAkSLAoGbGFiZWxzGAQgAygLMhwubWlsZXBvc3QudjEuSm9iLkxhYmVsc0VudHJ5EhUKDXBhcmVudF9qb2JfaWQYBSABKAkSJAoFc3RhdGUYBiABKA4yFS5taWxlcG9zdC52MS5Kb2JTdGF0ZRIiCgZzdGFnZXMYByADKAsyEi5taWxlcG9zdC52MS5TdGFnZRIQCghmcmFjdGlvbhgIIAEoARIPCgdtZXNzYWdlGAkgASgJEiYKBWlucHV0GAogASgLMhcuZ29vZ2xlLnByb3RvYnVmLlN0cnVjdBInCgZyZXN1bHQYCyABKAsyFy5nb29nbGUucHJvdG9idWYuU3RydWN0EigKCWFydGlmYWN0cxgMIAMoCzIVLm1pbGVwb3N0LnYxLkFydGlmYWN0EiUKB2ZhaWx1cmUYDSABKAsyFC5taWxlcG9zdC52MS5GYWlsdXJlEi8KDGNhbmNlbGxhdGlvbhgOIAEoCzIZLm1pbGVwb3N0LnYxLkNhbmNlbGxhdGlvbhIPCgdhdHRlbXB0GA8gASgFEi4KDHJldHJ5X3BvbGljeRgQIAEoCzIYLm1pbGVwb3N0LnYxLlJldHJ5UG9saWN5EioKB3RpbWVvdXQYESABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SEAoId29ya2xvYWQYEiABKAESFQoNd29ya2xvYWRfdW5pdBgTIAEoCRInCghlc3RpbWF0ZRgUIAEoCzIVLm1pbGVwb3N0LnYxLkVzdGltYXRlEg0KBWVwb2NoGBUgASgJEhYKDmZpcnN0X3NlcXVlbmNlGBYgASgDEhUKDWxhc3Rfc2VxdWVuY2UYFyABKAMSLwoLc3VibWl0X3RpbWUYGCABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wEi4KCnN0YXJ0X3RpbWUYGSABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wEiwKCGVuZF90aW1lGBogASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcBIRCgl3b3JrZXJfaWQYGyABKAkSJwoIZGlzcGF0Y2gYHCABKA4yFS5taWxlcG9zdC52MS5EaXNwYXRjaBIXCg9mYWlsZWRfYXR0ZW1wdHMYHSABKAUSLgoKcmV0cnlfdGltZRgeIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5UaW1lc3RhbXASKQoJcmV0ZW50aW9uGB8gASgLMhYubWlsZXBvc3QudjEuUmV0ZW50aW9uEhgKEHRoaW5uZWRfc2VxdWVuY2UYICABKAMSEAoIcHJpb3JpdHkYISABKAUSFwoPY29uY3VycmVuY3lfa2V5GCIgASgJEhkKEWNvbmN1cnJlbmN5X2xpbWl0GCMgASgFEjEKDnN0YXJ0X2RlYWRsaW5lGCQgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uEjIKD2F0dGVtcHRfdGltZW91dBglIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhI0ChBmaXJzdF9zdGFydF90aW1lGCYgASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcBIXCg93b3JrZXJfaW5zdGFuY2UYJyABKAkSFgoOZnJhY3Rpb25fa25vd24YKCABKAgSGAoQcGxhbm5lZF9jaGlsZHJlbhgpIAEoBRIUCgxzdWJtaXR0ZWRfYnkYKiABKAkSEgoKaW5wdXRfc2l6ZRgrIAEoBRotCgtMYWJlbHNFbnRyeRILCgNrZXkYASABKAkSDQoFdmFsdWUYAiABKAk6AjgBIpcDCgVTdGFnZRIQCghzdGFnZV9pZBgBIAEoCRIXCg9wYXJlbnRfc3RhZ2VfaWQYAiABKAkSDQoFdGl0bGUYAyABKAkSEwoGd2VpZ2h0GAQgASgBSACIAQESJgoFc3RhdGUYBSABKA4yFy5taWxlcG9zdC52MS5TdGFnZVN0YXRlEg8KB2N1cnJlbnQYBiABKAESEgoFdG90YWwYByABKAFIAYgBARIMCgR1bml0GAggASgJEg8KB21lc3NhZ2UYCSABKAkSEAoIZnJhY3Rpb24YCiABKAESJQoHZmFpbHVyZRgLIAEoCzIULm1pbGVwb3N0LnYxLkZhaWx1cmUSLgoKc3RhcnRfdGltZRgMIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5UaW1lc3RhbXASLAoIZW5kX3RpbWUYDSABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wEg8KB3BsYW5uZWQYDiABKAgSFgoOZnJhY3Rpb25fa25vd24YDyABKAhCCQoHX3dlaWdodEIICgZfdG90YWwiSwoHRmFpbHVyZRIMCgRjb2RlGAEgASgJEg8KB21lc3NhZ2UYAiABKAkSDgoGZGV0YWlsGAMgASgJEhEKCXJldHJ5YWJsZRgEIAEoCCLaAQoMQ2FuY2VsbGF0aW9uEg4KBnJlYXNvbhgBIAEoCRIUCgxyZXF1ZXN0ZWRfYnkYAiABKAkSMAoMcmVxdWVzdF90aW1lGAMgASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcBIsCghkZWFkbGluZRgEIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5UaW1lc3RhbXASNAoQYWNrbm93bGVkZ2VfdGltZRgFIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5UaW1lc3RhbXASDgoGZm9yY2VkGAYgASgIIm8KCEFydGlmYWN0EgwKBG5hbWUYASABKAkSCwoDdXJpGAIgASgJEhIKCm1lZGlhX3R5cGUYAyABKAkSEgoKc2l6ZV9ieXRlcxgEIAEoAxIOCgZzaGEyNTYYBSABKAkSEAoIc3RhZ2VfaWQYBiABKAkiyQEKC1JldHJ5UG9saWN5EhQKDG1heF9hdHRlbXB0cxgBIAEoBRIyCg9pbml0aWFsX2JhY2tvZmYYAiABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SLgoLbWF4X2JhY2tvZmYYAyABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SEgoKbXVsdGlwbGllchgEIAEoARIXCg9yZXRyeWFibGVfY29kZXMYBSADKAkSEwoLZmluYWxfY29kZXMYBiADKAkifAoJUmV0ZW50aW9uEi4KC2tlZXBfZXZlbnRzGAEgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uEisKCGtlZXBfam9iGAIgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uEhIKCm1heF9ldmVudHMYAyABKAMi6gEKCEVzdGltYXRlEjAKDXJlbWFpbmluZ19wNTAYASABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SMAoNcmVtYWluaW5nX3A5MBgCIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhIpCgViYXNpcxgDIAEoDjIaLm1pbGVwb3N0LnYxLkVzdGltYXRlQmFzaXMSEwoLc2FtcGxlX3NpemUYBCABKAUSKQoFYXNfb2YYBSABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wEg8KB292ZXJkdWUYBiABKAgqyAEKCEpvYlN0YXRlEhkKFUpPQl9TVEFURV9VTlNQRUNJRklFRBAAEhQKEEpPQl9TVEFURV9RVUVVRUQQARIVChFKT0JfU1RBVEVfUlVOTklORxACEhgKFEpPQl9TVEFURV9DQU5DRUxMSU5HEAMSFwoTSk9CX1NUQVRFX1NVQ0NFRURFRBAEEhQKEEpPQl9TVEFURV9GQUlMRUQQBRIXChNKT0JfU1RBVEVfQ0FOQ0VMTEVEEAYSEgoOSk9CX1NUQVRFX0xPU1QQBypPCghEaXNwYXRjaBIYChRESVNQQVRDSF9VTlNQRUNJRklFRBAAEhIKDkRJU1BBVENIX1FVRVVFEAESFQoRRElTUEFUQ0hfRVhURVJOQUwQAirCAQoKU3RhZ2VTdGF0ZRIbChdTVEFHRV9TVEFURV9VTlNQRUNJRklFRBAAEhcKE1NUQUdFX1NUQVRFX1BFTkRJTkcQARIXChNTVEFHRV9TVEFURV9SVU5OSU5HEAISGQoVU1RBR0VfU1RBVEVfU1VDQ0VFREVEEAMSFgoSU1RBR0VfU1RBVEVfRkFJTEVEEAQSFwoTU1RBR0VfU1RBVEVfU0tJUFBFRBAFEhkKFVNUQUdFX1NUQVRFX0NBTkNFTExFRBAGKoEBCg1Fc3RpbWF0ZUJhc2lzEh4KGkVTVElNQVRFX0JBU0lTX1VOU1BFQ0lGSUVEEAASGgoWRVNUSU1BVEVfQkFTSVNfSElTVE9SWRABEhsKF0VTVElNQVRFX0JBU0lTX1dPUktMT0FEEAISFwoTRVNUSU1BVEVfQkFTSVNfUEFDRRADYgZwcm90bzM",[Ee,we,Le]),Kt=k(Se,0),Fn=k(Se,1),Va=k(Se,2),rs=k(Se,3);var Wa=k(Se,7);var op=F("Ch9taWxlcG9zdC92MS9hZG1pbl9zZXJ2aWNlLnByb3RvEgttaWxlcG9zdC52MSIRCg9HZXRTdGF0c1JlcXVlc3QiQwoQR2V0U3RhdHNSZXNwb25zZRIvCgpldmVudF9sb29wGAEgASgLMhsubWlsZXBvc3QudjEuRXZlbnRMb29wU3RhdHMiuQEKDkV2ZW50TG9vcFN0YXRzEg4KBnBhc3NlcxgBIAEoAxITCgtoZWxkX3Bhc3NlcxgCIAEoAxImCgNwOTkYAyABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SKgoHbG9uZ2VzdBgEIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhIuCgtsb25nZXN0X2NwdRgFIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbiIPCg1CYWNrVXBSZXF1ZXN0ImcKDkJhY2tVcFJlc3BvbnNlEisKBmhlYWRlchgBIAEoCzIZLm1pbGVwb3N0LnYxLkJhY2t1cEhlYWRlckgAEg4KBGRhdGEYAiABKAxIABIQCgZzaGEyNTYYAyABKAxIAEIGCgRwYXJ0IkgKDEJhY2t1cEhlYWRlchISCgpzaXplX2J5dGVzGAEgASgDEg0KBWVwb2NoGAIgASgJEhUKDWxhc3RfcG9zaXRpb24YAyABKAMiSQoSTGlzdFdvcmtlcnNSZXF1ZXN0EgwKBGtpbmQYASABKAkSEQoJcGFnZV9zaXplGAIgASgFEhIKCnBhZ2VfdG9rZW4YAyABKAkiXQoTTGlzdFdvcmtlcnNSZXNwb25zZRItCgd3b3JrZXJzGAEgAygLMhwubWlsZXBvc3QudjEuQ29ubmVjdGVkV29ya2VyEhcKD25leHRfcGFnZV90b2tlbhgCIAEoCSLOAgoPQ29ubmVjdGVkV29ya2VyEhEKCXdvcmtlcl9pZBgBIAEoCRISCgpzZXNzaW9uX2lkGAIgASgJEhAKCGluc3RhbmNlGAMgASgJEgwKBHBlZXIYBCABKAkSDAoEbm9kZRgFIAEoCRILCgNzZGsYBiABKAkSDQoFa2luZHMYByADKAkSFwoPbWF4X2NvbmN1cnJlbmN5GAggASgFEhEKCWpvYl9jb3VudBgJIAEoBRIPCgdqb2JfaWRzGAogAygJEjAKDGNvbm5lY3RfdGltZRgLIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5UaW1lc3RhbXASMwoPbGFzdF9oZWFyZF90aW1lGAwgASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcBIOCgZvd25lcnMYDSADKAkSFgoOb3duZXJzX2xpbWl0ZWQYDiABKAgy7gEKDEFkbWluU2VydmljZRJQCgtMaXN0V29ya2VycxIfLm1pbGVwb3N0LnYxLkxpc3RXb3JrZXJzUmVxdWVzdBogLm1pbGVwb3N0LnYxLkxpc3RXb3JrZXJzUmVzcG9uc2USQwoGQmFja1VwEhoubWlsZXBvc3QudjEuQmFja1VwUmVxdWVzdBobLm1pbGVwb3N0LnYxLkJhY2tVcFJlc3BvbnNlMAESRwoIR2V0U3RhdHMSHC5taWxlcG9zdC52MS5HZXRTdGF0c1JlcXVlc3QaHS5taWxlcG9zdC52MS5HZXRTdGF0c1Jlc3BvbnNlYgZwcm90bzM",[Ee,Le]);var Pa=Dn(op,0);var Ya=F("ChdtaWxlcG9zdC92MS9ldmVudC5wcm90bxILbWlsZXBvc3QudjEizgYKBUV2ZW50Eg4KBmpvYl9pZBgBIAEoCRIQCghzZXF1ZW5jZRgCIAEoAxIoCgR0aW1lGAMgASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcBIPCgdhdHRlbXB0GAQgASgFEjIKDWpvYl9zdWJtaXR0ZWQYBSABKAsyGS5taWxlcG9zdC52MS5Kb2JTdWJtaXR0ZWRIABIuCgtqb2Jfc3RhcnRlZBgGIAEoCzIXLm1pbGVwb3N0LnYxLkpvYlN0YXJ0ZWRIABI0Cg5zdGFnZXNfcGxhbm5lZBgHIAEoCzIaLm1pbGVwb3N0LnYxLlN0YWdlc1BsYW5uZWRIABIyCg1zdGFnZV9zdGFydGVkGAggASgLMhkubWlsZXBvc3QudjEuU3RhZ2VTdGFydGVkSAASOAoQc3RhZ2VfcHJvZ3Jlc3NlZBgJIAEoCzIcLm1pbGVwb3N0LnYxLlN0YWdlUHJvZ3Jlc3NlZEgAEi4KC3N0YWdlX2VuZGVkGAogASgLMhcubWlsZXBvc3QudjEuU3RhZ2VFbmRlZEgAEi4KC2xvZ193cml0dGVuGAsgASgLMhcubWlsZXBvc3QudjEuTG9nV3JpdHRlbkgAEjQKDmFydGlmYWN0X2FkZGVkGAwgASgLMhoubWlsZXBvc3QudjEuQXJ0aWZhY3RBZGRlZEgAEiUKBmN1c3RvbRgNIAEoCzITLm1pbGVwb3N0LnYxLkN1c3RvbUgAEjgKEGNhbmNlbF9yZXF1ZXN0ZWQYDiABKAsyHC5taWxlcG9zdC52MS5DYW5jZWxSZXF1ZXN0ZWRIABI+ChNjYW5jZWxfYWNrbm93bGVkZ2VkGA8gASgLMh8ubWlsZXBvc3QudjEuQ2FuY2VsQWNrbm93bGVkZ2VkSAASMgoNYXR0ZW1wdF9lbmRlZBgQIAEoCzIZLm1pbGVwb3N0LnYxLkF0dGVtcHRFbmRlZEgAEioKCWpvYl9lbmRlZBgRIAEoCzIVLm1pbGVwb3N0LnYxLkpvYkVuZGVkSAASPgoTY2hpbGRyZW5fcHJvZ3Jlc3NlZBgSIAEoCzIfLm1pbGVwb3N0LnYxLkNoaWxkcmVuUHJvZ3Jlc3NlZEgAQgkKB3BheWxvYWQiQQoMSm9iU3VibWl0dGVkEh0KA2pvYhgBIAEoCzIQLm1pbGVwb3N0LnYxLkpvYhISCgpyZXF1ZXN0X2lkGAIgASgJIjEKCkpvYlN0YXJ0ZWQSEQoJd29ya2VyX2lkGAEgASgJEhAKCGluc3RhbmNlGAIgASgJIk0KDVN0YWdlc1BsYW5uZWQSIgoGc3RhZ2VzGAEgAygLMhIubWlsZXBvc3QudjEuU3RhZ2USGAoQcGxhbm5lZF9jaGlsZHJlbhgCIAEoBSIxCgxTdGFnZVN0YXJ0ZWQSIQoFc3RhZ2UYASABKAsyEi5taWxlcG9zdC52MS5TdGFnZSKZAQoPU3RhZ2VQcm9ncmVzc2VkEhAKCHN0YWdlX2lkGAEgASgJEg8KB2N1cnJlbnQYAiABKAESEgoFdG90YWwYAyABKAFIAIgBARIMCgR1bml0GAQgASgJEg8KB21lc3NhZ2UYBSABKAkSEAoIZnJhY3Rpb24YBiABKAESFAoMam9iX2ZyYWN0aW9uGAcgASgBQggKBl90b3RhbCKUAQoKU3RhZ2VFbmRlZBIQCghzdGFnZV9pZBgBIAEoCRImCgVzdGF0ZRgCIAEoDjIXLm1pbGVwb3N0LnYxLlN0YWdlU3RhdGUSDwoHbWVzc2FnZRgDIAEoCRIlCgdmYWlsdXJlGAQgASgLMhQubWlsZXBvc3QudjEuRmFpbHVyZRIUCgxqb2JfZnJhY3Rpb24YBSABKAEifgoKTG9nV3JpdHRlbhIQCghzdGFnZV9pZBgBIAEoCRInCghzZXZlcml0eRgCIAEoDjIVLm1pbGVwb3N0LnYxLlNldmVyaXR5EgwKBHRleHQYAyABKAkSJwoGZmllbGRzGAQgASgLMhcuZ29vZ2xlLnByb3RvYnVmLlN0cnVjdCI4Cg1BcnRpZmFjdEFkZGVkEicKCGFydGlmYWN0GAEgASgLMhUubWlsZXBvc3QudjEuQXJ0aWZhY3QibgoGQ3VzdG9tEgwKBHR5cGUYASABKAkSJwoEanNvbhgCIAEoCzIXLmdvb2dsZS5wcm90b2J1Zi5TdHJ1Y3RIABIlCgVwcm90bxgDIAEoCzIULmdvb2dsZS5wcm90b2J1Zi5BbnlIAEIGCgRkYXRhIkIKD0NhbmNlbFJlcXVlc3RlZBIvCgxjYW5jZWxsYXRpb24YASABKAsyGS5taWxlcG9zdC52MS5DYW5jZWxsYXRpb24iFAoSQ2FuY2VsQWNrbm93bGVkZ2VkImUKDEF0dGVtcHRFbmRlZBIlCgdmYWlsdXJlGAEgASgLMhQubWlsZXBvc3QudjEuRmFpbHVyZRIuCgpyZXRyeV90aW1lGAIgASgLMhouZ29vZ2xlLnByb3RvYnVmLlRpbWVzdGFtcCKhAQoISm9iRW5kZWQSJAoFc3RhdGUYASABKA4yFS5taWxlcG9zdC52MS5Kb2JTdGF0ZRInCgZyZXN1bHQYAiABKAsyFy5nb29nbGUucHJvdG9idWYuU3RydWN0EiUKB2ZhaWx1cmUYAyABKAsyFC5taWxlcG9zdC52MS5GYWlsdXJlEg8KB21lc3NhZ2UYBCABKAkSDgoGZm9yY2VkGAUgASgIIkgKEkNoaWxkcmVuUHJvZ3Jlc3NlZBINCgV0b3RhbBgBIAEoBRINCgVlbmRlZBgCIAEoBRIUCgxqb2JfZnJhY3Rpb24YAyABKAEqdQoIU2V2ZXJpdHkSGAoUU0VWRVJJVFlfVU5TUEVDSUZJRUQQABISCg5TRVZFUklUWV9ERUJVRxABEhEKDVNFVkVSSVRZX0lORk8QAhIUChBTRVZFUklUWV9XQVJOSU5HEAMSEgoOU0VWRVJJVFlfRVJST1IQBGIGcHJvdG8z",[ts,we,Le,Se]);var lt=F("Ch1taWxlcG9zdC92MS9qb2Jfc2VydmljZS5wcm90bxILbWlsZXBvc3QudjEiwAUKEFN1Ym1pdEpvYlJlcXVlc3QSDgoGam9iX2lkGAEgASgJEhIKCnJlcXVlc3RfaWQYAiABKAkSDAoEa2luZBgDIAEoCRINCgVvd25lchgEIAEoCRI5CgZsYWJlbHMYBSADKAsyKS5taWxlcG9zdC52MS5TdWJtaXRKb2JSZXF1ZXN0LkxhYmVsc0VudHJ5EhUKDXBhcmVudF9qb2JfaWQYBiABKAkSJgoFaW5wdXQYByABKAsyFy5nb29nbGUucHJvdG9idWYuU3RydWN0EiIKBnN0YWdlcxgIIAMoCzISLm1pbGVwb3N0LnYxLlN0YWdlEhAKCHdvcmtsb2FkGAkgASgBEhUKDXdvcmtsb2FkX3VuaXQYCiABKAkSKgoHdGltZW91dBgLIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhIuCgxyZXRyeV9wb2xpY3kYDCABKAsyGC5taWxlcG9zdC52MS5SZXRyeVBvbGljeRInCghkaXNwYXRjaBgNIAEoDjIVLm1pbGVwb3N0LnYxLkRpc3BhdGNoEikKCXJldGVudGlvbhgOIAEoCzIWLm1pbGVwb3N0LnYxLlJldGVudGlvbhIQCghwcmlvcml0eRgPIAEoBRIXCg9jb25jdXJyZW5jeV9rZXkYECABKAkSGQoRY29uY3VycmVuY3lfbGltaXQYESABKAUSMQoOc3RhcnRfZGVhZGxpbmUYEiABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SMgoPYXR0ZW1wdF90aW1lb3V0GBMgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uEhgKEHBsYW5uZWRfY2hpbGRyZW4YFCABKAUaLQoLTGFiZWxzRW50cnkSCwoDa2V5GAEgASgJEg0KBXZhbHVlGAIgASgJOgI4ASIyChFTdWJtaXRKb2JSZXNwb25zZRIdCgNqb2IYASABKAsyEC5taWxlcG9zdC52MS5Kb2IiHwoNR2V0Sm9iUmVxdWVzdBIOCgZqb2JfaWQYASABKAkiVgoOR2V0Sm9iUmVzcG9uc2USHQoDam9iGAEgASgLMhAubWlsZXBvc3QudjEuSm9iEiUKB3dhaXRpbmcYAiABKAsyFC5taWxlcG9zdC52MS5XYWl0aW5nIokCCgdXYWl0aW5nEiwKC3dhaXRpbmdfZm9yGAEgASgOMhcubWlsZXBvc3QudjEuV2FpdGluZ0ZvchIPCgd3b3JrZXJzGAIgASgFEhUKDW5lYXJlc3Rfa2luZHMYAyADKAkSIgoDcnVuGAQgASgLMhUubWlsZXBvc3QudjEuRXN0aW1hdGUSLAoJc3RhcnRfcDUwGAUgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uEiwKCXN0YXJ0X3A5MBgGIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhISCgpqb2JzX2FoZWFkGAcgASgFEhQKDGpvYnNfd2FpdGluZxgIIAEoBSLbAQoJSm9iRmlsdGVyEg0KBW93bmVyGAEgASgJEg0KBWtpbmRzGAIgAygJEjIKBmxhYmVscxgDIAMoCzIiLm1pbGVwb3N0LnYxLkpvYkZpbHRlci5MYWJlbHNFbnRyeRIVCg1wYXJlbnRfam9iX2lkGAQgASgJEg8KB2pvYl9pZHMYBSADKAkSJQoGc3RhdGVzGAYgAygOMhUubWlsZXBvc3QudjEuSm9iU3RhdGUaLQoLTGFiZWxzRW50cnkSCwoDa2V5GAEgASgJEg0KBXZhbHVlGAIgASgJOgI4ASKIAQoPTGlzdEpvYnNSZXF1ZXN0EiYKBmZpbHRlchgBIAEoCzIWLm1pbGVwb3N0LnYxLkpvYkZpbHRlchIRCglwYWdlX3NpemUYAiABKAUSEgoKcGFnZV90b2tlbhgDIAEoCRIQCghvcmRlcl9ieRgEIAEoCRIUCgx3YWl0aW5nX29ubHkYBSABKAgidQoQTGlzdEpvYnNSZXNwb25zZRIeCgRqb2JzGAEgAygLMhAubWlsZXBvc3QudjEuSm9iEhcKD25leHRfcGFnZV90b2tlbhgCIAEoCRIoCgd3YWl0aW5nGAMgAygLMhcubWlsZXBvc3QudjEuSm9iV2FpdGluZyJDCgpKb2JXYWl0aW5nEg4KBmpvYl9pZBgBIAEoCRIlCgd3YWl0aW5nGAIgASgLMhQubWlsZXBvc3QudjEuV2FpdGluZyJ3ChBDYW5jZWxKb2JSZXF1ZXN0Eg4KBmpvYl9pZBgBIAEoCRIOCgZyZWFzb24YAiABKAkSEgoKcmVxdWVzdF9pZBgDIAEoCRIvCgxncmFjZV9wZXJpb2QYBCABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24iMgoRQ2FuY2VsSm9iUmVzcG9uc2USHQoDam9iGAEgASgLMhAubWlsZXBvc3QudjEuSm9iIiIKEERlbGV0ZUpvYlJlcXVlc3QSDgoGam9iX2lkGAEgASgJIhMKEURlbGV0ZUpvYlJlc3BvbnNlIjIKC0V2ZW50RmlsdGVyEhAKCHBheWxvYWRzGAEgAygJEhEKCXN0YWdlX2lkcxgCIAMoCSLbAgoPV2F0Y2hKb2JSZXF1ZXN0Eg4KBmpvYl9pZBgBIAEoCRIYCg5hZnRlcl9zZXF1ZW5jZRgCIAEoA0gAEhcKDWZyb21fc25hcHNob3QYAyABKAhIABIVCgtmcm9tX2xhdGVzdBgEIAEoCEgAEg0KBWVwb2NoGAUgASgJEiIKBm9uX2dhcBgGIAEoDjISLm1pbGVwb3N0LnYxLk9uR2FwEigKBmZpbHRlchgHIAEoCzIYLm1pbGVwb3N0LnYxLkV2ZW50RmlsdGVyEicKCGRlbGl2ZXJ5GAggASgOMhUubWlsZXBvc3QudjEuRGVsaXZlcnkSEQoJbm9fZm9sbG93GAkgASgIEjIKD3N0YXR1c19pbnRlcnZhbBgKIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhIYChBtYXhfYmF0Y2hfZXZlbnRzGAsgASgFQgcKBXN0YXJ0IucBChBXYXRjaEpvYlJlc3BvbnNlEiUKBm9wZW5lZBgBIAEoCzITLm1pbGVwb3N0LnYxLk9wZW5lZEgAEikKCHNuYXBzaG90GAIgASgLMhUubWlsZXBvc3QudjEuU25hcHNob3RIABIlCgZldmVudHMYAyABKAsyEy5taWxlcG9zdC52MS5FdmVudHNIABIqCgljYXVnaHRfdXAYBCABKAsyFS5taWxlcG9zdC52MS5DYXVnaHRVcEgAEiUKBnN0YXR1cxgFIAEoCzITLm1pbGVwb3N0LnYxLlN0YXR1c0gAQgcKBWZyYW1lIqEBCgZPcGVuZWQSDQoFZXBvY2gYASABKAkSFgoOZmlyc3Rfc2VxdWVuY2UYAiABKAMSFQoNaGVhZF9zZXF1ZW5jZRgDIAEoAxIOCgZjdXJzb3IYBCABKAMSLwoLc2VydmVyX3RpbWUYBSABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wEhgKEHRoaW5uZWRfc2VxdWVuY2UYBiABKAMiOwoIU25hcHNob3QSHQoDam9iGAEgASgLMhAubWlsZXBvc3QudjEuSm9iEhAKCHBvc2l0aW9uGAIgASgDIj4KBkV2ZW50cxIiCgZldmVudHMYASADKAsyEi5taWxlcG9zdC52MS5FdmVudBIQCghwb3NpdGlvbhgCIAEoAyIcCghDYXVnaHRVcBIQCghzZXF1ZW5jZRgBIAEoAyKfAgoGU3RhdHVzEg4KBmN1cnNvchgBIAEoAxIVCg1oZWFkX3NlcXVlbmNlGAIgASgDEhAKCGZyYWN0aW9uGAMgASgBEicKCGVzdGltYXRlGAQgASgLMhUubWlsZXBvc3QudjEuRXN0aW1hdGUSLwoLc2VydmVyX3RpbWUYBSABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wEhIKCnN0b3JlX2F3YXkYBiABKAgSJQoHd2FpdGluZxgHIAEoCzIULm1pbGVwb3N0LnYxLldhaXRpbmcSFgoOZnJhY3Rpb25fa25vd24YCCABKAgSLwoNam9iX2VzdGltYXRlcxgJIAMoCzIYLm1pbGVwb3N0LnYxLkpvYkVzdGltYXRlIkYKC0pvYkVzdGltYXRlEg4KBmpvYl9pZBgBIAEoCRInCghlc3RpbWF0ZRgCIAEoCzIVLm1pbGVwb3N0LnYxLkVzdGltYXRlIvoCChBXYXRjaEpvYnNSZXF1ZXN0EiYKBmZpbHRlchgBIAEoCzIWLm1pbGVwb3N0LnYxLkpvYkZpbHRlchIYCg5hZnRlcl9wb3NpdGlvbhgCIAEoA0gAEhcKDWZyb21fc25hcHNob3QYAyABKAhIABIVCgtmcm9tX2xhdGVzdBgEIAEoCEgAEg0KBWVwb2NoGAUgASgJEiIKBm9uX2dhcBgGIAEoDjISLm1pbGVwb3N0LnYxLk9uR2FwEi4KDGV2ZW50X2ZpbHRlchgHIAEoCzIYLm1pbGVwb3N0LnYxLkV2ZW50RmlsdGVyEicKCGRlbGl2ZXJ5GAggASgOMhUubWlsZXBvc3QudjEuRGVsaXZlcnkSEQoJbm9fZm9sbG93GAkgASgIEjIKD3N0YXR1c19pbnRlcnZhbBgKIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhIYChBtYXhfYmF0Y2hfZXZlbnRzGAsgASgFQgcKBXN0YXJ0IroCChFXYXRjaEpvYnNSZXNwb25zZRIlCgZvcGVuZWQYASABKAsyEy5taWxlcG9zdC52MS5PcGVuZWRIABIpCghzbmFwc2hvdBgCIAEoCzIVLm1pbGVwb3N0LnYxLlNuYXBzaG90SAASJQoGZXZlbnRzGAMgASgLMhMubWlsZXBvc3QudjEuRXZlbnRzSAASKgoJY2F1Z2h0X3VwGAQgASgLMhUubWlsZXBvc3QudjEuQ2F1Z2h0VXBIABIlCgZzdGF0dXMYBSABKAsyEy5taWxlcG9zdC52MS5TdGF0dXNIABInCgdkZWxldGVkGAYgASgLMhQubWlsZXBvc3QudjEuRGVsZXRlZEgAEicKB3RyaW1tZWQYByABKAsyFC5taWxlcG9zdC52MS5UcmltbWVkSABCBwoFZnJhbWUiKwoHRGVsZXRlZBIOCgZqb2JfaWQYASABKAkSEAoIcG9zaXRpb24YAiABKAMiQwoHVHJpbW1lZBIOCgZqb2JfaWQYASABKAkSFgoOZmlyc3Rfc2VxdWVuY2UYAiABKAMSEAoIcG9zaXRpb24YAyABKAMiWQoPU2hhcmVKb2JSZXF1ZXN0Eg4KBmpvYl9pZBgBIAEoCRImCgN0dGwYAiABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SDgoGc2NvcGVzGAMgAygJIlIKEFNoYXJlSm9iUmVzcG9uc2USDQoFdG9rZW4YASABKAkSLwoLZXhwaXJlX3RpbWUYAiABKAsyGi5nb29nbGUucHJvdG9idWYuVGltZXN0YW1wIiUKE1Jldm9rZVNoYXJlc1JlcXVlc3QSDgoGam9iX2lkGAEgASgJIhYKFFJldm9rZVNoYXJlc1Jlc3BvbnNlIg8KDVdob0FtSVJlcXVlc3Qi6QEKDldob0FtSVJlc3BvbnNlEg8KB3N1YmplY3QYASABKAkSDgoGb3duZXJzGAIgAygJEhIKCmFsbF9vd25lcnMYAyABKAgSDgoGc2NvcGVzGAQgAygJEg0KBWtpbmRzGAUgAygJEg4KBmpvYl9pZBgGIAEoCRIvCgtleHBpcmVfdGltZRgHIAEoCzIaLmdvb2dsZS5wcm90b2J1Zi5UaW1lc3RhbXASFQoNY3JlZGVudGlhbF9pZBgIIAEoCRIrCgZsaW1pdHMYCSADKAsyGy5taWxlcG9zdC52MS5QcmluY2lwYWxMaW1pdCJMCg5QcmluY2lwYWxMaW1pdBIMCgRuYW1lGAEgASgJEg8KB21heGltdW0YAiABKAMSDAoEdXNlZBgDIAEoAxINCgVidXJzdBgEIAEoAyIwChFHZXRIaXN0b3J5UmVxdWVzdBIMCgRraW5kGAEgASgJEg0KBW93bmVyGAIgASgJIv4BChJHZXRIaXN0b3J5UmVzcG9uc2USDAoEcnVucxgBIAEoBRIvCgxkdXJhdGlvbl9wNTAYAiABKAsyGS5nb29nbGUucHJvdG9idWYuRHVyYXRpb24SLwoMZHVyYXRpb25fcDkwGAMgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uEikKBnN0YWdlcxgEIAMoCzIZLm1pbGVwb3N0LnYxLlN0YWdlSGlzdG9yeRIRCgllc3RpbWF0ZXMYBSABKAUSEAoIY292ZXJhZ2UYBiABKAESFAoMbWVkaWFuX2Vycm9yGAcgASgBEhIKCm1lYW5fZXJyb3IYCCABKAEiYAoMU3RhZ2VIaXN0b3J5EhAKCHN0YWdlX2lkGAEgASgJEi8KDGR1cmF0aW9uX3A1MBgCIAEoCzIZLmdvb2dsZS5wcm90b2J1Zi5EdXJhdGlvbhINCgVzaGFyZRgDIAEoASqmAQoKV2FpdGluZ0ZvchIbChdXQUlUSU5HX0ZPUl9VTlNQRUNJRklFRBAAEhQKEFdBSVRJTkdfRk9SX1RVUk4QARIWChJXQUlUSU5HX0ZPUl9XT1JLRVIQAhIZChVXQUlUSU5HX0ZPUl9SRUNPTk5FQ1QQAxIVChFXQUlUSU5HX0ZPUl9DTEFJTRAEEhsKF1dBSVRJTkdfRk9SX0NPTkNVUlJFTkNZEAUqRQoFT25HYXASFgoST05fR0FQX1VOU1BFQ0lGSUVEEAASDwoLT05fR0FQX0ZBSUwQARITCg9PTl9HQVBfU05BUFNIT1QQAipLCghEZWxpdmVyeRIYChRERUxJVkVSWV9VTlNQRUNJRklFRBAAEhAKDERFTElWRVJZX0FMTBABEhMKD0RFTElWRVJZX0xBVEVTVBACMsUGCgpKb2JTZXJ2aWNlEkoKCVN1Ym1pdEpvYhIdLm1pbGVwb3N0LnYxLlN1Ym1pdEpvYlJlcXVlc3QaHi5taWxlcG9zdC52MS5TdWJtaXRKb2JSZXNwb25zZRJBCgZHZXRKb2ISGi5taWxlcG9zdC52MS5HZXRKb2JSZXF1ZXN0GhsubWlsZXBvc3QudjEuR2V0Sm9iUmVzcG9uc2USRwoITGlzdEpvYnMSHC5taWxlcG9zdC52MS5MaXN0Sm9ic1JlcXVlc3QaHS5taWxlcG9zdC52MS5MaXN0Sm9ic1Jlc3BvbnNlEkoKCUNhbmNlbEpvYhIdLm1pbGVwb3N0LnYxLkNhbmNlbEpvYlJlcXVlc3QaHi5taWxlcG9zdC52MS5DYW5jZWxKb2JSZXNwb25zZRJKCglEZWxldGVKb2ISHS5taWxlcG9zdC52MS5EZWxldGVKb2JSZXF1ZXN0Gh4ubWlsZXBvc3QudjEuRGVsZXRlSm9iUmVzcG9uc2USSQoIV2F0Y2hKb2ISHC5taWxlcG9zdC52MS5XYXRjaEpvYlJlcXVlc3QaHS5taWxlcG9zdC52MS5XYXRjaEpvYlJlc3BvbnNlMAESTAoJV2F0Y2hKb2JzEh0ubWlsZXBvc3QudjEuV2F0Y2hKb2JzUmVxdWVzdBoeLm1pbGVwb3N0LnYxLldhdGNoSm9ic1Jlc3BvbnNlMAESRwoIU2hhcmVKb2ISHC5taWxlcG9zdC52MS5TaGFyZUpvYlJlcXVlc3QaHS5taWxlcG9zdC52MS5TaGFyZUpvYlJlc3BvbnNlElMKDFJldm9rZVNoYXJlcxIgLm1pbGVwb3N0LnYxLlJldm9rZVNoYXJlc1JlcXVlc3QaIS5taWxlcG9zdC52MS5SZXZva2VTaGFyZXNSZXNwb25zZRJBCgZXaG9BbUkSGi5taWxlcG9zdC52MS5XaG9BbUlSZXF1ZXN0GhsubWlsZXBvc3QudjEuV2hvQW1JUmVzcG9uc2USTQoKR2V0SGlzdG9yeRIeLm1pbGVwb3N0LnYxLkdldEhpc3RvcnlSZXF1ZXN0Gh8ubWlsZXBvc3QudjEuR2V0SGlzdG9yeVJlc3BvbnNlYgZwcm90bzM",[Ee,we,Le,Ya,Se]);var Za=k(lt,4),Ka=k(lt,5);var Xa=k(lt,13),ja=k(lt,14);var Ha=k(lt,22);var Qa=Dn(lt,0);var w;(function(t){t[t.Canceled=1]="Canceled",t[t.Unknown=2]="Unknown",t[t.InvalidArgument=3]="InvalidArgument",t[t.DeadlineExceeded=4]="DeadlineExceeded",t[t.NotFound=5]="NotFound",t[t.AlreadyExists=6]="AlreadyExists",t[t.PermissionDenied=7]="PermissionDenied",t[t.ResourceExhausted=8]="ResourceExhausted",t[t.FailedPrecondition=9]="FailedPrecondition",t[t.Aborted=10]="Aborted",t[t.OutOfRange=11]="OutOfRange",t[t.Unimplemented=12]="Unimplemented",t[t.Internal=13]="Internal",t[t.Unavailable=14]="Unavailable",t[t.DataLoss=15]="DataLoss",t[t.Unauthenticated=16]="Unauthenticated"})(w||(w={}));function Xt(t,e){qa(e,t);let n=sp(t.$unknown,e),[r,o,s]=xe(e);for(let i of n)qo(r,new Ye(i.data),o,i.wireType,{readUnknownFields:!0});return s()}function za(t,e,n){var r;qa(e,t);let o=((r=t.$unknown)!==null&&r!==void 0?r:[]).filter(c=>c.no!==e.number),[s,i]=xe(e,n),a=new Ce;zo(a,{writeUnknownFields:!0},s,i);let l=new Ye(a.finish());for(;l.pos<l.len;){let[c,u]=l.tag(),m=l.skip(u,c);o.push({no:c,wireType:u,data:m})}t.$unknown=o}function sp(t,e){if(t===void 0)return[];if(e.fieldKind==="enum"||e.fieldKind==="scalar"){for(let n=t.length-1;n>=0;--n)if(t[n].no==e.number)return[t[n]];return[]}return t.filter(n=>n.no===e.number)}function xe(t,e){let n=t.typeName,r=Object.assign(Object.assign({},t),{kind:"field",parent:t.extendee,localName:n}),o=Object.assign(Object.assign({},t.extendee),{fields:[r],members:[r],oneofs:[]}),s=I(o,e!==void 0?{[n]:e}:void 0);return[J(o,s),r,()=>{let i=s[n];if(i===void 0){let a=t.message;return le(a)?q(a.fields[0].scalar,a.fields[0].longAsString):I(a)}return i}]}function qa(t,e){if(t.extendee.typeName!=e.$typeName)throw new Error(`extension ${t.typeName} can only be applied to message ${t.extendee.typeName}`)}function os(t,e,n,r){return e.$typeName!=t.typeName||n.$typeName!=t.typeName?!1:e===n?!0:Vn(J(t,e),J(t,n),r)}function Vn(t,e,n){if(t.desc.typeName==="google.protobuf.Any"&&n?.unpackAny==!0)return ip(t.message,e.message,n);for(let r of t.fields)if(!el(r,t,e,n))return!1;return!(n?.unknown==!0&&!ap(t,e,n.registry)||n?.extensions==!0&&!lp(t,e,n))}function el(t,e,n,r){if(!e.isSet(t)&&!n.isSet(t))return!0;if(!e.isSet(t)||!n.isSet(t))return!1;switch(t.fieldKind){case"scalar":return rt(t.scalar,e.get(t),n.get(t));case"enum":return e.get(t)===n.get(t);case"message":return Vn(e.get(t),n.get(t),r);case"map":{let o=e.get(t),s=n.get(t),i=[];for(let a of o.keys()){if(!s.has(a))return!1;i.push(a)}for(let a of s.keys())if(!o.has(a))return!1;for(let a of i){let l=o.get(a),c=s.get(a);if(l!==c)switch(t.mapKind){case"enum":return!1;case"message":if(!Vn(l,c,r))return!1;break;case"scalar":if(!rt(t.scalar,l,c))return!1;break}}break}case"list":{let o=e.get(t),s=n.get(t);if(o.size!=s.size)return!1;for(let i=0;i<o.size;i++){let a=o.get(i),l=s.get(i);if(a!==l)switch(t.listKind){case"enum":return!1;case"message":if(!Vn(a,l,r))return!1;break;case"scalar":if(!rt(t.scalar,a,l))return!1;break}}break}}return!0}function ip(t,e,n){if(t.typeUrl!==e.typeUrl)return!1;let r=Zt(t,n.registry),o=Zt(e,n.registry);if(r&&o){let s=n.registry.getMessage(r.$typeName);if(s)return os(s,r,o,n)}return rt(d.BYTES,t.value,e.value)}function ap(t,e,n){function r(i,a){var l;let c=(l=i.getUnknown())!==null&&l!==void 0?l:[];return a?c.filter(u=>!a.getExtensionFor(i.desc,u.no)):c}let o=r(t,n),s=r(e,n);if(o.length!=s.length)return!1;for(let i=0;i<o.length;i++){let a=o[i],l=s[i];if(a.no!=l.no||a.wireType!=l.wireType||!rt(d.BYTES,a.data,l.data))return!1}return!0}function lp(t,e,n){function r(i,a){var l;return((l=i.getUnknown())!==null&&l!==void 0?l:[]).map(c=>a.getExtensionFor(i.desc,c.no)).filter(c=>c!=null).filter((c,u,m)=>m.indexOf(c)===u)}let o=r(t,n.registry),s=r(e,n.registry);if(o.length!=s.length||o.some(i=>!s.includes(i)))return!1;for(let i of o){let[a,l]=xe(i,Xt(t.message,i)),[c]=xe(i,Xt(e.message,i));if(!el(l,a,c,n))return!1}return!0}var cp=3,dp=2,tl={alwaysEmitImplicit:!1,enumAsInteger:!1,useProtoFieldName:!1};function up(t){return t?Object.assign(Object.assign({},tl),t):tl}function ss(t,e,n){return jt(J(t,e),up(n))}function rl(t,e,n){var r;let o=ss(t,e,n);return JSON.stringify(o,null,(r=n?.prettySpaces)!==null&&r!==void 0?r:0)}function jt(t,e){var n;let r=hp(t,e);if(r!==void 0)return r;let o={};for(let s of t.sortedFields){if(!t.isSet(s)){if(s.presence==cp)throw new Error(`cannot encode ${s} to JSON: required field not set`);if(!e.alwaysEmitImplicit||s.presence!==dp)continue}let i=nl(s,t.get(s),e);i!==void 0&&(o[fp(s,e)]=i)}if(e.registry){let s=new Set;for(let{no:i}of(n=t.getUnknown())!==null&&n!==void 0?n:[])if(!s.has(i)){s.add(i);let a=e.registry.getExtensionFor(t.desc,i);if(!a)continue;let l=Xt(t.message,a),[c,u]=xe(a,l),m=nl(u,c.get(u),e);m!==void 0&&(o[a.jsonName]=m)}}return o}function nl(t,e,n){switch(t.fieldKind){case"scalar":return Wn(t,e);case"message":return jt(e,n);case"enum":return is(t.enum,e,n.enumAsInteger);case"list":return mp(e,n);case"map":return pp(e,n)}}function pp(t,e){let n=t.field(),r={};switch(n.mapKind){case"scalar":for(let[o,s]of t)r[o]=Wn(n,s);break;case"message":for(let[o,s]of t)r[o]=jt(s,e);break;case"enum":for(let[o,s]of t)r[o]=is(n.enum,s,e.enumAsInteger);break}return e.alwaysEmitImplicit||t.size>0?r:void 0}function mp(t,e){let n=t.field(),r=[];switch(n.listKind){case"scalar":for(let o of t)r.push(Wn(n,o));break;case"enum":for(let o of t)r.push(is(n.enum,o,e.enumAsInteger));break;case"message":for(let o of t)r.push(jt(o,e));break}return e.alwaysEmitImplicit||r.length>0?r:void 0}function is(t,e,n){var r;if(typeof e!="number")throw new Error(`cannot encode ${t} to JSON: expected number, got ${G(e)}`);if(t.typeName=="google.protobuf.NullValue")return null;if(n)return e;let o=t.value[e];return(r=o?.name)!==null&&r!==void 0?r:e}function Wn(t,e){var n,r,o,s,i,a;switch(t.scalar){case d.INT32:case d.SFIXED32:case d.SINT32:case d.FIXED32:case d.UINT32:if(typeof e!="number")throw new Error(`cannot encode ${t} to JSON: ${(n=ye(t,e))===null||n===void 0?void 0:n.message}`);return e;case d.FLOAT:case d.DOUBLE:if(typeof e!="number")throw new Error(`cannot encode ${t} to JSON: ${(r=ye(t,e))===null||r===void 0?void 0:r.message}`);return Number.isNaN(e)?"NaN":e===Number.POSITIVE_INFINITY?"Infinity":e===Number.NEGATIVE_INFINITY?"-Infinity":e;case d.STRING:if(typeof e!="string")throw new Error(`cannot encode ${t} to JSON: ${(o=ye(t,e))===null||o===void 0?void 0:o.message}`);return e;case d.BOOL:if(typeof e!="boolean")throw new Error(`cannot encode ${t} to JSON: ${(s=ye(t,e))===null||s===void 0?void 0:s.message}`);return e;case d.UINT64:case d.FIXED64:case d.INT64:case d.SFIXED64:case d.SINT64:if(typeof e!="bigint"&&typeof e!="string")throw new Error(`cannot encode ${t} to JSON: ${(i=ye(t,e))===null||i===void 0?void 0:i.message}`);return e.toString();case d.BYTES:if(e instanceof Uint8Array)return Ot(e);throw new Error(`cannot encode ${t} to JSON: ${(a=ye(t,e))===null||a===void 0?void 0:a.message}`)}}function fp(t,e){return e.useProtoFieldName?t.name:t.jsonName}function hp(t,e){if(t.desc.typeName.startsWith("google.protobuf."))switch(t.desc.typeName){case"google.protobuf.Any":return gp(t.message,e);case"google.protobuf.Timestamp":return vp(t.message);case"google.protobuf.Duration":return bp(t.message);case"google.protobuf.FieldMask":return yp(t.message);case"google.protobuf.Struct":return ol(t.message);case"google.protobuf.Value":return as(t.message);case"google.protobuf.ListValue":return sl(t.message);default:if(le(t.desc)){let n=t.desc.fields[0];return Wn(n,t.get(n))}return}}function gp(t,e){if(t.typeUrl==="")return{};let{registry:n}=e,r,o;if(n&&(r=Zt(t,n),r&&(o=n.getMessage(r.$typeName))),!o||!r)throw new Error(`cannot encode message ${t.$typeName} to JSON: "${t.typeUrl}" is not in the type registry`);let s=jt(J(o,r),e);return(o.typeName.startsWith("google.protobuf.")||s===null||Array.isArray(s)||typeof s!="object")&&(s={value:s}),s["@type"]=t.typeUrl,s}function bp(t){if(Number(t.seconds)>315576e6||Number(t.seconds)<-315576e6)throw new Error(`cannot encode message ${t.$typeName} to JSON: value out of range`);let e=t.seconds.toString();if(t.nanos!==0){let n=Math.abs(t.nanos).toString();n="0".repeat(9-n.length)+n,n.substring(3)==="000000"?n=n.substring(0,3):n.substring(6)==="000"&&(n=n.substring(0,6)),e+="."+n,t.nanos<0&&Number(t.seconds)==0&&(e="-"+e)}return e+"s"}function yp(t){return t.paths.map(e=>{if(e.match(/_[0-9]?_/g)||e.match(/[A-Z]/g))throw new Error(`cannot encode message ${t.$typeName} to JSON: lowerCamelCase of path name "`+e+'" is irreversible');return Te(e)}).join(",")}function ol(t){let e={};for(let[n,r]of Object.entries(t.fields))e[n]=as(r);return e}function as(t){switch(t.kind.case){case"nullValue":return null;case"numberValue":if(!Number.isFinite(t.kind.value))throw new Error(`${t.$typeName} cannot be NaN or Infinity`);return t.kind.value;case"boolValue":return t.kind.value;case"stringValue":return t.kind.value;case"structValue":return ol(t.kind.value);case"listValue":return sl(t.kind.value);default:throw new Error(`${t.$typeName} must have a value`)}}function sl(t){return t.values.map(as)}function vp(t){let e=Number(t.seconds)*1e3;if(e<Date.parse("0001-01-01T00:00:00Z")||e>Date.parse("9999-12-31T23:59:59Z"))throw new Error(`cannot encode message ${t.$typeName} to JSON: must be from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z inclusive`);if(t.nanos<0)throw new Error(`cannot encode message ${t.$typeName} to JSON: nanos must not be negative`);let n="Z";if(t.nanos>0){let r=(t.nanos+1e9).toString().substring(1);r.substring(3)==="000000"?n="."+r.substring(0,3)+"Z":r.substring(6)==="000"?n="."+r.substring(0,6)+"Z":n="."+r+"Z"}return new Date(e).toISOString().replace(".000Z",n)}var il={ignoreUnknownFields:!1};function Ep(t){return t?Object.assign(Object.assign({},il),t):il}function ll(t,e,n){return ls(t,Rp(e,t.typeName),n)}function ls(t,e,n){let r=J(t);try{ct(r,e,Ep(n))}catch(o){throw Zi(o)?new Error(`cannot decode ${o.field()} from JSON: ${o.message}`,{cause:o}):o}return r.message}function ct(t,e,n){var r;if(kp(t,e,n))return;if(e==null||Array.isArray(e)||typeof e!="object")throw new Error(`cannot decode ${t.desc} from JSON: ${G(e)}`);let o=new Map,s=new Map;for(let i of t.desc.fields)s.set(i.name,i).set(i.jsonName,i);for(let[i,a]of Object.entries(e)){let l=s.get(i);if(l){if(l.oneof){if(a===null&&l.fieldKind=="scalar")continue;let c=o.get(l.oneof);if(c!==void 0)throw new U(l.oneof,`oneof set multiple times by ${c.name} and ${l.name}`);o.set(l.oneof,l)}al(t,l,a,n)}else{let c;if(i.startsWith("[")&&i.endsWith("]")&&(c=(r=n.registry)===null||r===void 0?void 0:r.getExtension(i.substring(1,i.length-1)))&&c.extendee.typeName===t.desc.typeName){let[u,m,b]=xe(c);al(u,m,a,n),za(t.message,c,b())}if(!c&&!n.ignoreUnknownFields)throw new Error(`cannot decode ${t.desc} from JSON: key "${i}" is unknown`)}}}function al(t,e,n,r){switch(e.fieldKind){case"scalar":Ap(t,e,n);break;case"enum":Ip(t,e,n,r);break;case"message":xp(t,e,n,r);break;case"list":Sp(t.get(e),n,r);break;case"map":wp(t.get(e),n,r);break}}function wp(t,e,n){if(e===null)return;let r=t.field();if(typeof e!="object"||Array.isArray(e))throw new U(r,"expected object, got "+G(e));for(let[o,s]of Object.entries(e)){if(s===null)throw new U(r,"map value must not be null");let i;switch(r.mapKind){case"message":let l=J(r.message);ct(l,s,n),i=l;break;case"enum":if(i=cs(r.enum,s,n.ignoreUnknownFields,!0),i===Pn)return;break;case"scalar":i=Zn(r,s,!0);break}let a=Np(r.mapKey,o);t.set(a,i)}}function Sp(t,e,n){if(e===null)return;let r=t.field();if(!Array.isArray(e))throw new U(r,"expected Array, got "+G(e));for(let o of e){if(o===null)throw new U(r,"list item must not be null");switch(r.listKind){case"message":let s=J(r.message);ct(s,o,n),t.add(s);break;case"enum":let i=cs(r.enum,o,n.ignoreUnknownFields,!0);i!==Pn&&t.add(i);break;case"scalar":t.add(Zn(r,o,!0));break}}}function xp(t,e,n,r){if(n===null&&e.message.typeName!="google.protobuf.Value"){t.clear(e);return}let o=t.isSet(e)?t.get(e):J(e.message);ct(o,n,r),t.set(e,o)}function Ip(t,e,n,r){let o=cs(e.enum,n,r.ignoreUnknownFields,!1);o===Yn?t.clear(e):o!==Pn&&t.set(e,o)}function Ap(t,e,n){let r=Zn(e,n,!1);r===Yn?t.clear(e):t.set(e,r)}var Pn=Symbol();function cs(t,e,n,r){if(e===null)return t.typeName=="google.protobuf.NullValue"?0:r?t.values[0].number:Yn;switch(typeof e){case"number":if(Number.isInteger(e))return e;break;case"string":let o=t.values.find(s=>s.name===e);if(o!==void 0)return o.number;if(n)return Pn;break}throw new Error(`cannot decode ${t} from JSON: ${G(e)}`)}var Yn=Symbol();function Zn(t,e,n){if(e===null)return n?q(t.scalar,!1):Yn;switch(t.scalar){case d.DOUBLE:case d.FLOAT:if(e==="NaN")return NaN;if(e==="Infinity")return Number.POSITIVE_INFINITY;if(e==="-Infinity")return Number.NEGATIVE_INFINITY;if(typeof e=="number"){if(Number.isNaN(e))throw new U(t,"unexpected NaN number");if(!Number.isFinite(e))throw new U(t,"unexpected infinite number");break}if(typeof e=="string"){if(e===""||e.trim().length!==e.length)break;let r=Number(e);if(!Number.isFinite(r))break;return r}break;case d.INT32:case d.FIXED32:case d.SFIXED32:case d.SINT32:case d.UINT32:return cl(e);case d.BYTES:if(typeof e=="string"){if(e==="")return new Uint8Array(0);try{return it(e)}catch(r){let o=r instanceof Error?r.message:String(r);throw new U(t,o)}}break}return e}function Np(t,e){switch(t){case d.BOOL:switch(e){case"true":return!0;case"false":return!1}return e;case d.INT32:case d.FIXED32:case d.UINT32:case d.SFIXED32:case d.SINT32:return cl(e);default:return e}}function cl(t){if(typeof t=="string"){if(t===""||t.trim().length!==t.length)return t;let e=Number(t);return Number.isNaN(e)?t:e}return t}function Rp(t,e){try{return JSON.parse(t)}catch(n){let r=n instanceof Error?n.message:String(n);throw new Error(`cannot decode message ${e} from JSON: ${r}`,{cause:n})}}function kp(t,e,n){if(!t.desc.typeName.startsWith("google.protobuf."))return!1;switch(t.desc.typeName){case"google.protobuf.Any":return Tp(t.message,e,n),!0;case"google.protobuf.Timestamp":return Cp(t.message,e),!0;case"google.protobuf.Duration":return Lp(t.message,e),!0;case"google.protobuf.FieldMask":return _p(t.message,e),!0;case"google.protobuf.Struct":return dl(t.message,e),!0;case"google.protobuf.Value":return ds(t.message,e),!0;case"google.protobuf.ListValue":return ul(t.message,e),!0;default:if(le(t.desc)){let r=t.desc.fields[0];return e===null?t.clear(r):t.set(r,Zn(r,e,!0)),!0}return!1}}function Tp(t,e,n){var r;if(e===null||Array.isArray(e)||typeof e!="object")throw new Error(`cannot decode message ${t.$typeName} from JSON: expected object but got ${G(e)}`);if(Object.keys(e).length==0)return;let o=e["@type"];if(typeof o!="string"||o=="")throw new Error(`cannot decode message ${t.$typeName} from JSON: "@type" is empty`);let s=o.includes("/")?o.substring(o.lastIndexOf("/")+1):o;if(!s.length)throw new Error(`cannot decode message ${t.$typeName} from JSON: "@type" is invalid`);let i=(r=n.registry)===null||r===void 0?void 0:r.getMessage(s);if(!i)throw new Error(`cannot decode message ${t.$typeName} from JSON: ${o} is not in the type registry`);let a=J(i);if(s.startsWith("google.protobuf.")&&Object.prototype.hasOwnProperty.call(e,"value")){let l=e.value;ct(a,l,n)}else{let l=Object.assign({},e);delete l["@type"],ct(a,l,n)}Ja(a.desc,a.message,t)}function Cp(t,e){if(typeof e!="string")throw new Error(`cannot decode message ${t.$typeName} from JSON: ${G(e)}`);let n=e.match(/^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?:Z|([+-][0-9][0-9]:[0-9][0-9]))$/);if(!n)throw new Error(`cannot decode message ${t.$typeName} from JSON: invalid RFC 3339 string`);let r=Date.parse(n[1]+"-"+n[2]+"-"+n[3]+"T"+n[4]+":"+n[5]+":"+n[6]+(n[8]?n[8]:"Z"));if(Number.isNaN(r))throw new Error(`cannot decode message ${t.$typeName} from JSON: invalid RFC 3339 string`);if(r<Date.parse("0001-01-01T00:00:00Z")||r>Date.parse("9999-12-31T23:59:59Z"))throw new Error(`cannot decode message ${t.$typeName} from JSON: must be from 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z inclusive`);t.seconds=N.parse(r/1e3),t.nanos=0,n[7]&&(t.nanos=parseInt("1"+n[7]+"0".repeat(9-n[7].length))-1e9)}function Lp(t,e){if(typeof e!="string")throw new Error(`cannot decode message ${t.$typeName} from JSON: ${G(e)}`);let n=e.match(/^(-?[0-9]+)(?:\.([0-9]+))?s/);if(n===null)throw new Error(`cannot decode message ${t.$typeName} from JSON: ${G(e)}`);let r=Number(n[1]);if(r>315576e6||r<-315576e6)throw new Error(`cannot decode message ${t.$typeName} from JSON: ${G(e)}`);if(t.seconds=N.parse(r),typeof n[2]!="string")return;let o=n[2]+"0".repeat(9-n[2].length);t.nanos=parseInt(o),(r<0||Object.is(r,-0))&&(t.nanos=-t.nanos)}function _p(t,e){if(typeof e!="string")throw new Error(`cannot decode message ${t.$typeName} from JSON: ${G(e)}`);if(e==="")return;function n(r){if(r.includes("_"))throw new Error(`cannot decode message ${t.$typeName} from JSON: path names must be lowerCamelCase`);let o=r.replace(/[A-Z]/g,s=>"_"+s.toLowerCase());return o[0]==="_"?o.substring(1):o}t.paths=e.split(",").map(n)}function dl(t,e){if(typeof e!="object"||e==null||Array.isArray(e))throw new Error(`cannot decode message ${t.$typeName} from JSON ${G(e)}`);for(let[n,r]of Object.entries(e)){let o=I(ns);ds(o,r),t.fields[n]=o}}function ds(t,e){switch(typeof e){case"number":t.kind={case:"numberValue",value:e};break;case"string":t.kind={case:"stringValue",value:e};break;case"boolean":t.kind={case:"boolValue",value:e};break;case"object":if(e===null)t.kind={case:"nullValue",value:Bn.NULL_VALUE};else if(Array.isArray(e)){let n=I(Ba);ul(n,e),t.kind={case:"listValue",value:n}}else{let n=I(Da);dl(n,e),t.kind={case:"structValue",value:n}}break;default:throw new Error(`cannot decode message ${t.$typeName} from JSON ${G(e)}`)}return t}function ul(t,e){if(!Array.isArray(e))throw new Error(`cannot decode message ${t.$typeName} from JSON ${G(e)}`);for(let n of e){let r=I(ns);ds(r,n),t.values.push(r)}}function Ht(t){let e=w[t];return typeof e!="string"?t.toString():e[0].toLowerCase()+e.substring(1).replace(/[A-Z]/g,n=>"_"+n.toLowerCase())}var Kn;function pl(t){if(!Kn){Kn={};for(let e of Object.values(w))typeof e!="string"&&(Kn[Ht(e)]=e)}return Kn[t]}var R=class t extends Error{constructor(e,n=w.Unknown,r,o,s){super($p(e,n)),this.name="ConnectError",Object.setPrototypeOf(this,new.target.prototype),this.rawMessage=e,this.code=n,this.metadata=new Headers(r??{}),this.details=o??[],this.cause=s}static from(e,n=w.Unknown){return e instanceof t?e:e instanceof Error?e.name=="AbortError"||e.name=="TimeoutError"?new t(e.message,w.Canceled):new t(e.message,n,void 0,void 0,e):new t(String(e),n,void 0,void 0,e)}static[Symbol.hasInstance](e){return e instanceof Error?Object.getPrototypeOf(e)===t.prototype?!0:e.name==="ConnectError"&&"code"in e&&typeof e.code=="number"&&"metadata"in e&&"details"in e&&Array.isArray(e.details)&&"rawMessage"in e&&typeof e.rawMessage=="string"&&"cause"in e:!1}findDetails(e){let n=e.kind==="message"?{getMessage:o=>o===e.typeName?e:void 0}:e,r=[];for(let o of this.details){if("desc"in o){n.getMessage(o.desc.typeName)&&r.push(I(o.desc,o.value));continue}let s=n.getMessage(o.type);if(s)try{r.push(ve(s,o.value))}catch{}}return r}};function $p(t,e){return t.length?`[${Ht(e)}] ${t}`:`[${Ht(e)}]`}function us(...t){let e=new Headers;for(let n of t)n.forEach((r,o)=>{e.append(o,r)});return e}function ml(t,e){let n={};for(let r of t.methods){let o=e(r);o!=null&&(n[r.localName]=o)}return n}var Xn=1;function fl(t,e,n=!1){if(e>t){let r=`message size is larger than configured readMaxBytes ${t}`;throw n&&(r=`message size ${e} is larger than configured readMaxBytes ${t}`),new R(r,w.ResourceExhausted)}}function Mp(t){return new ps(t)}var ps=class{constructor(e){this.readMaxBytes=e,this.header=new Uint8Array(5),this.headerView=new DataView(this.header.buffer),this.buf=[]}get byteLength(){return this.buf.reduce((e,n)=>e+n.byteLength,0)}decode(e){this.buf.push(e);let n=[];for(;;){let r=this.pop();if(!r)break;n.push(r)}return n}pop(){if(!(!this.env&&(this.env=this.head(),!this.env))&&this.cons(this.env.data)){let e=this.env;return this.env=void 0,e}}head(){if(!this.cons(this.header))return;let e=this.headerView.getUint8(0),n=this.headerView.getUint32(1);return fl(this.readMaxBytes,n,!0),{flags:e,data:new Uint8Array(n)}}cons(e){let n=e.byteLength;if(this.byteLength<n)return!1;let r=0;for(;r<n;){let o=this.buf.shift();o.byteLength>n-r?(e.set(o.subarray(0,n-r),r),this.buf.unshift(o.subarray(n-r)),r+=n-r):(e.set(o,r),r+=o.byteLength)}return!0}};function ms(t){let e,n=Mp(4294967295);return new ReadableStream({start(){e=t.getReader()},async pull(r){let o=!1;for(;!o;){let s=await e.read();if(s.done)n.byteLength>0&&r.error(new R("protocol error: incomplete envelope",w.InvalidArgument)),r.close();else for(let i of n.decode(s.value))r.enqueue(i),o=!0}}})}function fs(t,e){let n=new Uint8Array(e.length+5);n.set(e,5);let r=new DataView(n.buffer,n.byteOffset,n.byteLength);return r.setUint8(0,t),r.setUint32(1,e.length),n}var Gp=function(t){if(!Symbol.asyncIterator)throw new TypeError("Symbol.asyncIterator is not defined.");var e=t[Symbol.asyncIterator],n;return e?e.call(t):(t=typeof __values=="function"?__values(t):t[Symbol.iterator](),n={},r("next"),r("throw"),r("return"),n[Symbol.asyncIterator]=function(){return this},n);function r(s){n[s]=t[s]&&function(i){return new Promise(function(a,l){i=t[s](i),o(a,l,i.done,i.value)})}}function o(s,i,a,l){Promise.resolve(l).then(function(c){s({value:c,done:a})},i)}},Qt=function(t){return this instanceof Qt?(this.v=t,this):new Qt(t)},Jp=function(t,e,n){if(!Symbol.asyncIterator)throw new TypeError("Symbol.asyncIterator is not defined.");var r=n.apply(t,e||[]),o,s=[];return o=Object.create((typeof AsyncIterator=="function"?AsyncIterator:Object).prototype),a("next"),a("throw"),a("return",i),o[Symbol.asyncIterator]=function(){return this},o;function i(p){return function(g){return Promise.resolve(g).then(p,m)}}function a(p,g){r[p]&&(o[p]=function(E){return new Promise(function(x,$){s.push([p,E,x,$])>1||l(p,E)})},g&&(o[p]=g(o[p])))}function l(p,g){try{c(r[p](g))}catch(E){b(s[0][3],E)}}function c(p){p.value instanceof Qt?Promise.resolve(p.value.v).then(u,m):b(s[0][2],p)}function u(p){l("next",p)}function m(p){l("throw",p)}function b(p,g){p(g),s.shift(),s.length&&l(s[0][0],s[0][1])}},Up=function(t){var e,n;return e={},r("next"),r("throw",function(o){throw o}),r("return"),e[Symbol.iterator]=function(){return this},e;function r(o,s){e[o]=t[o]?function(i){return(n=!n)?{value:Qt(t[o](i)),done:!1}:s?s(i):i}:s}};function hl(t){return Jp(this,arguments,function*(){yield Qt(yield*Up(Gp(t)))})}var gl=function(t){if(!Symbol.asyncIterator)throw new TypeError("Symbol.asyncIterator is not defined.");var e=t[Symbol.asyncIterator],n;return e?e.call(t):(t=typeof __values=="function"?__values(t):t[Symbol.iterator](),n={},r("next"),r("throw"),r("return"),n[Symbol.asyncIterator]=function(){return this},n);function r(s){n[s]=t[s]&&function(i){return new Promise(function(a,l){i=t[s](i),o(a,l,i.done,i.value)})}}function o(s,i,a,l){Promise.resolve(l).then(function(c){s({value:c,done:a})},i)}},dt=function(t){return this instanceof dt?(this.v=t,this):new dt(t)},Op=function(t){var e,n;return e={},r("next"),r("throw",function(o){throw o}),r("return"),e[Symbol.iterator]=function(){return this},e;function r(o,s){e[o]=t[o]?function(i){return(n=!n)?{value:dt(t[o](i)),done:!1}:s?s(i):i}:s}},Dp=function(t,e,n){if(!Symbol.asyncIterator)throw new TypeError("Symbol.asyncIterator is not defined.");var r=n.apply(t,e||[]),o,s=[];return o=Object.create((typeof AsyncIterator=="function"?AsyncIterator:Object).prototype),a("next"),a("throw"),a("return",i),o[Symbol.asyncIterator]=function(){return this},o;function i(p){return function(g){return Promise.resolve(g).then(p,m)}}function a(p,g){r[p]&&(o[p]=function(E){return new Promise(function(x,$){s.push([p,E,x,$])>1||l(p,E)})},g&&(o[p]=g(o[p])))}function l(p,g){try{c(r[p](g))}catch(E){b(s[0][3],E)}}function c(p){p.value instanceof dt?Promise.resolve(p.value.v).then(u,m):b(s[0][2],p)}function u(p){l("next",p)}function m(p){l("throw",p)}function b(p,g){p(g),s.shift(),s.length&&l(s[0][0],s[0][1])}};function jn(t,e){return ml(t,n=>{switch(n.methodKind){case"unary":return Bp(e,n);case"server_streaming":return Fp(e,n);case"client_streaming":return Vp(e,n);case"bidi_streaming":return Wp(e,n);default:return null}})}function Bp(t,e){return async(n,r)=>{var o,s;let i=await t.unary(e,r?.signal,r?.timeoutMs,r?.headers,n,r?.contextValues);return(o=r?.onHeader)===null||o===void 0||o.call(r,i.header),(s=r?.onTrailer)===null||s===void 0||s.call(r,i.trailer),i.message}}function Fp(t,e){return(n,r)=>bl(t.stream(e,r?.signal,r?.timeoutMs,r?.headers,hl([n]),r?.contextValues),r)}function Vp(t,e){return async(n,r)=>{var o,s,i,a,l,c;let u=await t.stream(e,r?.signal,r?.timeoutMs,r?.headers,n,r?.contextValues);(l=r?.onHeader)===null||l===void 0||l.call(r,u.header);let m,b=0;try{for(var p=!0,g=gl(u.message),E;E=await g.next(),o=E.done,!o;p=!0)a=E.value,p=!1,m=a,b++}catch(x){s={error:x}}finally{try{!p&&!o&&(i=g.return)&&await i.call(g)}finally{if(s)throw s.error}}if(!m)throw new R("protocol error: missing response message",w.Unimplemented);if(b>1)throw new R("protocol error: received extra messages for client streaming method",w.Unimplemented);return(c=r?.onTrailer)===null||c===void 0||c.call(r,u.trailer),m}}function Wp(t,e){return(n,r)=>bl(t.stream(e,r?.signal,r?.timeoutMs,r?.headers,n,r?.contextValues),r)}function bl(t,e){let n=(function(){return Dp(this,arguments,function*(){var r,o;let s=yield dt(t);(r=e?.onHeader)===null||r===void 0||r.call(e,s.header),yield dt(yield*Op(gl(s.message))),(o=e?.onTrailer)===null||o===void 0||o.call(e,s.trailer)})})()[Symbol.asyncIterator]();return{[Symbol.asyncIterator]:()=>({next:()=>n.next()})}}function yl(...t){let e=new AbortController,n=t.filter(o=>o!==void 0).concat(e.signal);for(let o of n){if(o.aborted){r.apply(o);break}o.addEventListener("abort",r)}function r(){e.signal.aborted||e.abort(hs(this));for(let o of n)o.removeEventListener("abort",r)}return e}function vl(t){let e=new AbortController,n=()=>{e.abort(new R("the operation timed out",w.DeadlineExceeded))},r;return t!==void 0&&(t<=0?n():r=setTimeout(n,t)),{signal:e.signal,cleanup:()=>clearTimeout(r)}}function hs(t){if(!t.aborted)return;if(t.reason!==void 0)return t.reason;let e=new Error("This operation was aborted");return e.name="AbortError",e}function Hn(){return{get(t){return t.id in this?this[t.id]:t.defaultValue},set(t,e){return this[t.id]=e,this},delete(t){return delete this[t.id],this}}}function Qn(t,e){return t.toString().replace(/\/?$/,`/${e.parent.typeName}/${e.name}`)}function gs(t,e){return I(t,e)}function El(t,e){function n(r){return r.done===!0?r:{done:r.done,value:gs(t,r.value)}}return{[Symbol.asyncIterator](){let r=e[Symbol.asyncIterator](),o={next:()=>r.next().then(n)};return r.throw!==void 0&&(o.throw=s=>r.throw(s).then(n)),r.return!==void 0&&(o.return=s=>r.return(s).then(n)),o}}}function bs(t,e){if(!e)return t;for(let n of e.concat().reverse())t=n(t);return t}function zn(t){var e;let n=Object.assign({},t);return(e=n.ignoreUnknownFields)!==null&&e!==void 0||(n.ignoreUnknownFields=!0),n}function qn(t,e,n,r){let o=e?wl(t.input,r):Sl(t.input,n);return{parse:(e?wl(t.output,r):Sl(t.output,n)).parse,serialize:o.serialize}}function wl(t,e){return{parse(n){try{return ve(t,n,e)}catch(r){let o=r instanceof Error?r.message:String(r);throw new R(`parse binary: ${o}`,w.Internal)}},serialize(n){try{return Yt(t,n,e)}catch(r){let o=r instanceof Error?r.message:String(r);throw new R(`serialize binary: ${o}`,w.Internal)}}}}function Sl(t,e){var n,r;let o=(n=e?.textEncoder)!==null&&n!==void 0?n:new TextEncoder,s=(r=e?.textDecoder)!==null&&r!==void 0?r:new TextDecoder,i=zn(e);return{parse(a){try{let l=s.decode(a);return ll(t,l,i)}catch(l){throw R.from(l,w.InvalidArgument)}},serialize(a){try{let l=rl(t,a,i);return o.encode(l)}catch(l){throw R.from(l,w.Internal)}}}}var Pp=/^application\/(connect\+)?(?:(json)(?:; ?charset=utf-?8)?|(proto))$/i;var xl="application/proto",Il="application/json",Al="application/connect+proto",Nl="application/connect+json";function Rl(t){let e=t?.match(Pp);if(!e)return;let n=!!e[1],r=!!e[3];return{stream:n,binary:r}}function zt(t,e,n){var r;if(e&&new Headers(e).forEach((a,l)=>n.metadata.append(l,a)),typeof t!="object"||t==null||Array.isArray(t))throw n;let o=n.code;"code"in t&&typeof t.code=="string"&&(o=(r=pl(t.code))!==null&&r!==void 0?r:o);let s=t.message;if(s!=null&&typeof s!="string")throw n;let i=new R(s??"",o,e);if("details"in t&&Array.isArray(t.details))for(let a of t.details){if(a===null||typeof a!="object"||Array.isArray(a)||typeof a.type!="string"||typeof a.value!="string")throw n;try{i.details.push({type:a.type,value:it(a.value),debug:a.debug})}catch{throw n}}return i}var er=2;function ys(t){let e=new R("invalid end stream",w.Unknown),n;try{n=JSON.parse(typeof t=="string"?t:new TextDecoder().decode(t))}catch{throw e}if(typeof n!="object"||n==null||Array.isArray(n))throw e;let r=new Headers;if("metadata"in n){if(typeof n.metadata!="object"||n.metadata==null||Array.isArray(n.metadata))throw e;for(let[s,i]of Object.entries(n.metadata)){if(!Array.isArray(i)||i.some(a=>typeof a!="string"))throw e;for(let a of i)r.append(s,a)}}let o="error"in n&&n.error!=null?zt(n.error,r,e):void 0;return{metadata:r,error:o}}var Ze="Content-Type",kl="Content-Length",qt="Content-Encoding";var vs="Accept-Encoding";var Tl="Connect-Timeout-Ms",tr="Connect-Protocol-Version",Es="User-Agent";function Cl(t){switch(t){case 400:return w.Internal;case 401:return w.Unauthenticated;case 403:return w.PermissionDenied;case 404:return w.Unimplemented;case 429:return w.Unavailable;case 502:return w.Unavailable;case 503:return w.Unavailable;case 504:return w.Unavailable;default:return w.Unknown}}function nr(t){let e=new Headers,n=new Headers;return t.forEach((r,o)=>{o.toLowerCase().startsWith("trailer-")?n.append(o.substring(8),r):e.append(o,r)}),[e,n]}var rr="1";function or(t,e,n,r,o){let s=new Headers(r??{});return n!==void 0&&s.set(Tl,`${n}`),s.set(Ze,t=="unary"?e?xl:Il:e?Al:Nl),s.set(tr,rr),!s.has(Es)&&o&&s.set(Es,"connect-es/2.0.4"),s}function sr(t,e,n,r){let o=r.get(Ze),s=Rl(o);if(n!==200){let a=new R(`HTTP ${n}`,Cl(n),r);if(t=="unary"&&s&&!s.binary)return{isUnaryError:!0,unaryError:a};throw a}let i={binary:e,stream:t!=="unary"};if(s?.binary!==i.binary||s.stream!==i.stream)throw new R(`unsupported content type ${o}`,s===void 0?w.Unknown:w.Internal,r);return{isUnaryError:!1}}var Ll="application/";function Kp(t,e){return e?Ot(t,"url"):encodeURIComponent(new TextDecoder().decode(t))}function ws(t,e,n){let r=`?connect=v${rr}`,o=t.header.get(Ze);o?.indexOf(Ll)===0&&(r+="&encoding="+encodeURIComponent(o.slice(Ll.length)));let s=t.header.get(qt);s!==null&&s!=="identity"&&(r+="&compression="+encodeURIComponent(s),n=!0),n&&(r+="&base64=1"),r+="&message="+Kp(e,n);let i=t.url+r,a=new Headers(t.header);for(let l of[tr,Ze,kl,qt,vs])a.delete(l);return Object.assign(Object.assign({},t),{requestMethod:"GET",url:i,header:a})}function Ss(t){let e=bs(t.next,t.interceptors),[n,r,o]=_l(t),s=Object.assign(Object.assign({},t.req),{message:gs(t.req.method.input,t.req.message),signal:n});return e(s).then(i=>(o(),i),r)}function xs(t){let e=bs(t.next,t.interceptors),[n,r,o]=_l(t),s=Object.assign(Object.assign({},t.req),{message:El(t.req.method.input,t.req.message),signal:n}),i=!1;return n.addEventListener("abort",function(){var a,l;let c=t.req.message[Symbol.asyncIterator]();i||(a=c.throw)===null||a===void 0||a.call(c,this.reason).catch(()=>{}),(l=c.return)===null||l===void 0||l.call(c).catch(()=>{})}),e(s).then(a=>Object.assign(Object.assign({},a),{message:{[Symbol.asyncIterator](){let l=a.message[Symbol.asyncIterator]();return{next(){return l.next().then(c=>(c.done==!0&&(i=!0,o()),c),r)}}}}}),r)}function _l(t){let{signal:e,cleanup:n}=vl(t.timeoutMs),r=yl(t.signal,e);return[r.signal,function(s){let i=R.from(e.aborted?hs(e):s);return r.abort(i),n(),Promise.reject(i)},function(){n(),r.abort()}]}var Is=F("Ch5nb29nbGUvcnBjL2Vycm9yX2RldGFpbHMucHJvdG8SCmdvb2dsZS5ycGMikwEKCUVycm9ySW5mbxIOCgZyZWFzb24YASABKAkSDgoGZG9tYWluGAIgASgJEjUKCG1ldGFkYXRhGAMgAygLMiMuZ29vZ2xlLnJwYy5FcnJvckluZm8uTWV0YWRhdGFFbnRyeRovCg1NZXRhZGF0YUVudHJ5EgsKA2tleRgBIAEoCRINCgV2YWx1ZRgCIAEoCToCOAEiOwoJUmV0cnlJbmZvEi4KC3JldHJ5X2RlbGF5GAEgASgLMhkuZ29vZ2xlLnByb3RvYnVmLkR1cmF0aW9uIoMBCgpCYWRSZXF1ZXN0Ej8KEGZpZWxkX3Zpb2xhdGlvbnMYASADKAsyJS5nb29nbGUucnBjLkJhZFJlcXVlc3QuRmllbGRWaW9sYXRpb24aNAoORmllbGRWaW9sYXRpb24SDQoFZmllbGQYASABKAkSEwoLZGVzY3JpcHRpb24YAiABKAliBnByb3RvMw",[Ee]),$l=k(Is,0),Ml=k(Is,1),Gl=k(Is,2);var As=(S=>(S[S.UNSPECIFIED=0]="UNSPECIFIED",S[S.JOB_NOT_FOUND=1]="JOB_NOT_FOUND",S[S.JOB_ALREADY_EXISTS=2]="JOB_ALREADY_EXISTS",S[S.JOB_ENDED=3]="JOB_ENDED",S[S.SEQUENCE_TRIMMED=4]="SEQUENCE_TRIMMED",S[S.SEQUENCE_AHEAD=5]="SEQUENCE_AHEAD",S[S.EPOCH_CHANGED=6]="EPOCH_CHANGED",S[S.LEASE_LOST=7]="LEASE_LOST",S[S.REPORT_GAP=8]="REPORT_GAP",S[S.INVALID_FIELD=9]="INVALID_FIELD",S[S.TOO_LARGE=10]="TOO_LARGE",S[S.LIMIT_REACHED=11]="LIMIT_REACHED",S[S.STORE_UNAVAILABLE=12]="STORE_UNAVAILABLE",S[S.STORE_FULL=13]="STORE_FULL",S[S.DRAINING=14]="DRAINING",S[S.JOB_NOT_ENDED=15]="JOB_NOT_ENDED",S[S.UNAUTHENTICATED=16]="UNAUTHENTICATED",S[S.TOKEN_EXPIRED=17]="TOKEN_EXPIRED",S[S.PERMISSION_DENIED=18]="PERMISSION_DENIED",S))(As||{});function Ke({seconds:t,nanos:e}){return Number(t)*1e3+e/1e6}function en(t){if(t===void 0)return;let e=Math.floor(t/1e3);return I(Oa,{seconds:BigInt(e),nanos:Math.round((t-e*1e3)*1e6)})}function ut({seconds:t,nanos:e}){return Number(t)*1e3+e/1e6}var te=class extends Error{name="MilepostError"},Ie=class extends te{constructor(n,r){super(`The server cannot be reached: ${n}`,r);this.why=n}name="Unreachable"},ce=class extends Ie{name="Silent";constructor(e){super(`nothing was received for ${e/1e3} s`)}},ir=class extends te{name="StreamsBlocked";constructor(){super("The server answers calls, but no stream gets through: a proxy in between cuts them off or holds them back.")}},_e=class extends te{name="TokenUnavailable";constructor(e,n){super(`No token could be obtained: ${e}`,n)}},Z=class extends te{name="ProtocolError"},j=class extends te{name="ServiceError";reason;code;metadata;violations;retryDelayMs;constructor(e,n,r){super(e,r),this.reason=n.reason??"UNSPECIFIED",this.code=n.code,this.metadata=n.metadata??{},this.violations=n.violations??[],this.retryDelayMs=n.retryDelayMs}};function H(t,...e){return t instanceof j&&e.includes(t.reason)}var Xp=new Set([w.Unavailable,w.DeadlineExceeded,w.Unknown,w.Canceled,w.Aborted]);function Ae(t){if(t instanceof te)return t;let e=R.from(t),n={cause:t},r=e.findDetails($l).find(({domain:i})=>i==="milepost.v1");if(r===void 0&&Xp.has(e.code))return new Ie(e.rawMessage,n);let o=e.findDetails(Ml)[0]?.retryDelay,s=e.findDetails(Gl).flatMap(({fieldViolations:i})=>i);return new j(e.rawMessage||w[e.code],{reason:jp(r?.reason),code:e.code,metadata:r?.metadata,violations:s.map(({field:i,description:a})=>({field:i,description:a})),retryDelayMs:o&&Ke(o)},n)}function ar(t,e){return t instanceof j?t.reason==="LIMIT_REACHED"?e||(t.metadata.limit?.endsWith("-memory")??!1):[w.Unavailable,w.Canceled].includes(t.code)||t.reason==="UNSPECIFIED"&&t.code===w.Internal:t instanceof Ie||t instanceof _e}function jp(t){return t!==void 0&&Object.hasOwn(As,t)&&Number.isNaN(Number(t))?t:"UNSPECIFIED"}function v(t){return t&&Number(t.seconds)*1e3+t.nanos/1e6}function Xe(t){return Number(t.seconds)+t.nanos/1e9}function T(t){let e=Math.max(Math.floor(t),0),n=Math.floor(e/3600),r=`${Ne(Math.floor(e/60)%60)}:${Ne(e%60)}`;return n?`${n}:${r}`:r}function K(t){return t<.0995?`${Math.round(Math.max(t,0)*1e3)} ms`:t<9.95?`${t.toFixed(1)} s`:T(t)}function lr(t){let e=Math.max(t,0);return e>=86400?`${Math.floor(e/86400)} d`:e>=3600?`${Math.floor(e/3600)} h`:e>=60?`${Math.floor(e/60)} min`:`${Math.floor(e)} s`}function Q(t){let e=new Date(t);return`${Ne(e.getHours())}:${Ne(e.getMinutes())}:${Ne(e.getSeconds())}`}function W(t){let e=new Date(t),n=-e.getTimezoneOffset(),r=`${e.getFullYear()}-${Ne(e.getMonth()+1)}-${Ne(e.getDate())}`,o=`${n<0?"\u2212":"+"}${Ne(Math.floor(Math.abs(n)/60))}:${Ne(Math.abs(n)%60)}`;return`${r} ${Q(t)}.${String(e.getMilliseconds()).padStart(3,"0")} ${o}`}function Ne(t){return String(t).padStart(2,"0")}var Hp=/[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|[\ud800-\udfff]/gu;function de(t){return t.replace(Hp,e=>`\\x${(e.codePointAt(0)??0).toString(16).padStart(2,"0")}`)}function y(t,e=256){let n=de(t.slice(0,4*e)).replace(/\s+/g," ").trim();return n.length<=e?n:`${n.slice(0,e-1)}\u2026`}function je(t,e=13){if(t.length<=e)return t;let n=Math.floor((e-1)/2);return`${t.slice(0,e-1-n)}\u2026${t.slice(t.length-n)}`}function M(t){return String(t).replace(/\B(?=(\d{3})+(?!\d))/g,",")}function O(t,e){return`${M(t)} ${e}${Number(t)===1?"":"s"}`}function ks(t){let n=t%100>=11&&t%100<=13?"th":["th","st","nd","rd"][t%10]??"th";return`${M(t)}${n}`}function pt(t){return`${Re(t)} %`}function Re(t){return Math.floor(Math.min(Math.max(t,0),1)*100+1e-9)}var Jl=["","k","M","G","T","P","E","Z","Y"];function Ts(t){let{divisor:e,prefix:n}=Ol(t);return`${Rs(t,e)} ${n}B`}function Ul(t,e,n){if(e===void 0&&t===0)return"";if(Qp(n)){if(e===void 0)return Ts(t);let{divisor:o,prefix:s}=Ol(e);return`${Rs(t,o)} of ${Rs(e,o)} ${s}B`}return`${e===void 0?Ns(t):`${Ns(t)} of ${Ns(e)}`} ${y(n,32)}`.trim()}function Qp(t){return["b","byte","bytes"].includes(t.toLowerCase())}function Ol(t){let e=1,n=0;for(;t>=999.95*e&&n<Jl.length-1;)e*=1e3,n+=1;return{divisor:e,prefix:Jl[n]??""}}function Rs(t,e){return e===1?t.toFixed(0):(t/e).toFixed(1)}function Ns(t){if(Math.abs(t)>=1e15)return t.toExponential(2);let[e="",n]=(Number.isInteger(t)?String(t):t.toFixed(1)).split(".");return n===void 0?M(BigInt(e)):`${M(BigInt(e))}.${n}`}function mt(t,e=0){let{state:n,error:r,retryAt:o,staleSince:s,received:i,head:a,restartedAt:l,storeAway:c}=t;return{state:n==="paused"?"hidden":n,error:c?"the server cannot reach its store":zp(r),retryAt:o===void 0?void 0:o+e,staleSince:s===void 0?void 0:s+e,arrived:Number(i),known:Number(a),restarted:l!==void 0}}function zp(t){return t instanceof Ie?/fetch|network|load failed/i.test(t.why)?"no connection":t.why:t?.message??""}function ft(t,e){let n=t instanceof te?t.message:`The page has an error: ${String(t)}`;return{state:H(t,"JOB_NOT_FOUND")?"missing":t instanceof j&&t.code===w.Unauthenticated?"unauthenticated":"refused",error:n,staleSince:e,expired:H(t,"TOKEN_EXPIRED")}}function tn(t,e){let[n,r,o]=Dl(t,e),[,s]=Dl({...t,retryAt:void 0,known:void 0},e);return{shape:n,text:r,milestone:s,tone:o,stale:o==="stale"}}function Dl(t,e){let{state:n,error:r,retryAt:o,staleSince:s}=t,i=r?` (${y(r,120)})`:"",a=s===void 0?"":` \xB7 stale since ${Q(s)}`;switch(n){case"live":return t.restarted?["turned","live \xB7 history restarted","up"]:["full","live","up"];case"catching-up":return["half",`catching up${t.known?` ${M(t.arrived??0)} of ${M(t.known)}`:""}`,""];case"polling":return["half",`polling${i}`,""];case"reconnecting":{let l=o===void 0?0:Math.ceil((o-e)/1e3);return["empty",`reconnecting${l>0?` in ${l} s`:""}${i}${a}`,"stale"]}case"hidden":return["empty",`paused while hidden${a}`,"stale"];case"ended":return["done","complete","up"];case"unauthenticated":return["cross","signed out","stale"];case"refused":return["cross",`refused${i}`,"stale"];case"missing":return["cross","not found","stale"];case"connecting":return["empty","connecting",""]}}function Bl(t,e){return!tn(t,e).stale||t.staleSince===void 0?"":`No connection: this is what was known at ${Q(t.staleSince)}. It may have changed since.`}function ue({lines:t,boundaries:e}){return t.length-e}function ht(t){return t.reduce((e,{startsAttempt:n})=>e+(n?1:0),0)}var Fl=0;function gt(){return Fl+=1,Fl}var He=class{#e=-1;#t=0;#n=0;#r=0;read({lines:e,generation:n,prepended:r,dropped:o}){let s=o-this.#n,i=r-this.#t,a=this.#r-s,l=n!==this.#e||a<0||s>0&&i>0;return this.#e=n,this.#t=r,this.#n=o,this.#r=e.length,l?{reset:l,dropped:0,prepended:[],appended:e}:{reset:l,dropped:s,prepended:e.slice(0,i),appended:e.slice(i+a)}}};function Vl(t){switch(t.state){case 4:{let e=qp(t);return e||t.message?{headline:`succeeded${e&&` with ${e}`}`,next:""}:void 0}case 5:return{headline:Cs(t)||"failed",next:em(t)};case 6:return{headline:`cancelled${t.cancellation?.forced?", by force":""}`,next:t.cancellation?.forced?"Its handler may still be running; nothing that it reports is taken. Look at that worker first.":"Submit it again to run it."};case 7:return{headline:`lost: worker ${y(t.workerId,128)||"of unknown name"} was silent for longer than its lease`,next:"Look at that worker's own log. Submit the job again, or allow it more attempts."};default:return}}function qp(t){return[t.artifacts.length>0&&O(t.artifacts.length,"artifact"),t.result&&"a result"].filter(Boolean).join(" and ")}function Cs(t){let e=t.failure;return e?y(e.message,1e3)||e.code:""}function em(t){switch(t.failure?.code??""){case"TIMEOUT":case"ATTEMPT_TIMEOUT":return"It took longer than it may. Give it more time, or less to do.";case"START_DEADLINE":return"No worker started it in time. Start a worker of its kind, or give it longer to wait."}return t.failure?.retryable?"Another attempt may succeed. Submit it again, or allow it more attempts.":"The last lines of its log say more. Submit it again once the cause is gone."}var tm={1:{word:"queued",shape:"waiting"},2:{word:"running",shape:"running"},3:{word:"cancelling",shape:"stopping"},4:{word:"succeeded",shape:"succeeded"},5:{word:"failed",shape:"failed"},6:{word:"cancelled",shape:"cancelled"},7:{word:"lost",shape:"lost"}},nm={1:{word:"waiting",shape:"waiting"},2:{word:"running",shape:"running"},3:{word:"done",shape:"succeeded"},4:{word:"failed",shape:"failed"},5:{word:"skipped",shape:"skipped"},6:{word:"cancelled",shape:"cancelled"}},rm={1:"debug",3:"warning",4:"error"};function C(t){return tm[t]??{word:t===0?"unknown":`state ${t}`,shape:"waiting"}}function nn(t){return nm[t]??{word:`state ${t}`,shape:"waiting"}}function bt(t){return rm[t]??"info"}function A(t){return[4,5,6,7].includes(t.state)}function ke(t){return t.state===2||t.state===3}function ie(t){return t.fractionKnown||t.state===1&&t.attempt===0}function Ls(t){return{state:t.state,attempt:t.attempt,quarter:ie(t)?Math.floor(Re(t.fraction)/25):0,ended:new Set(t.stages.filter(om).map(e=>e.stageId))}}function Wl(t,e){let n=Ls(e),r=y(e.kind,64);if(n.state!==t.state||n.attempt!==t.attempt){let i=n.state===5||n.state===7?`: ${Cs(e)}`:"",a=n.state===2&&n.attempt>1?`, attempt ${n.attempt}`:"";return`${r} ${C(e.state).word}${a}${i}`}let o=e.stages.filter(i=>n.ended.has(i.stageId)&&!t.ended.has(i.stageId));if(o.length>1)return`${o.length} stages of ${r} have ended`;let s=o[0];return s?`stage ${y(s.title||s.stageId,80)} ${nn(s.state).word}`:n.quarter>t.quarter?`${r} ${n.quarter*25} %`:""}function om(t){return!t.parentStageId&&t.state!==1&&t.state!==2}var ne=class{#e={fraction:0,seconds:0};#t;#n=0;update(e,n,r){let o=Math.min(Math.max(e,0),1);return n!==this.#t?(this.#t=n,this.#r(o,0,r)):o>this.#e.fraction&&this.#r(o,Math.min(Math.max((r-this.#n)/1e3,.15),1.5),r),this.#e}#r(e,n,r){this.#e={fraction:e,seconds:n},this.#n=r}};var cr=L`
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
`;var $e=globalThis;function Me(){return $e.document?.visibilityState==="hidden"}function dr(t){return $e.document?.addEventListener("visibilitychange",t),()=>$e.document?.removeEventListener("visibilitychange",t)}async function z(){for(;Me();)await new Promise(t=>{let e=dr(()=>{e(),t()})})}function Pl(t){if($e.document===void 0)return()=>{};let e=()=>{Me()||t()};$e.addEventListener?.("online",t),$e.addEventListener?.("pageshow",t);let n=dr(e);return()=>{$e.removeEventListener?.("online",t),$e.removeEventListener?.("pageshow",t),n()}}function Yl(t){return[...performance.getEntriesByType("navigation"),...performance.getEntriesByType("resource")].some(({name:n,nextHopProtocol:r})=>n.startsWith(`${t}/`)&&/^h[23]/.test(r))}var pe=class{#e=new Set;get count(){return this.#e.size}add(e){return this.#e.add(e),()=>this.#e.delete(e)}notify(){for(let e of this.#e)e()}};var _s=class{#e=new pe;#t;add(e){let n=this.#e.add(e);return this.#t??=setInterval(()=>{Me()||this.#e.notify()},1e3),()=>{n(),!(this.#e.count>0)&&(clearInterval(this.#t),this.#t=void 0)}}},me=new _s;var fe=class extends Y{static properties={store:{attribute:!1}};#e;#t;#n;connectedCallback(){super.connectedCallback(),this.#n=me.add(()=>{this.store?.isMoving&&this.requestUpdate()}),this.#r()}disconnectedCallback(){super.disconnectedCallback(),this.#n?.(),this.#t?.(),this.#e=void 0}willUpdate(e){super.willUpdate(e);let n=e.get("store");n!==void 0&&n!==this.store&&this.forget(),this.isConnected&&this.#r()}forget(){}changed(){this.requestUpdate()}#r(){this.store!==this.#e&&(this.#t?.(),this.#e=this.store,this.#t=this.store?.subscribe(()=>{this.changed()}))}};var sm=[[0,"at once, by force"],[10,"10 seconds"],[30,"30 seconds"],[120,"2 minutes"],[600,"10 minutes"]],im=4096,ur=class extends fe{static properties={error:{state:!0},busy:{state:!0}};static styles=[V,cr];constructor(){super(),this.error="",this.busy=!1}open(){this.error="",this.#t?.showModal()}forget(){this.#t?.close()}render(){let e=this.store?.job,n=e&&A(e)?C(e.state).word:"";return f`<dialog
      aria-labelledby="title"
      @close=${()=>{this.busy=!1}}
    >
      <form method="dialog" @submit=${this.#e}>
        <h2 id="title">Cancel this job?</h2>
        <p class="muted">
          <span class="foreign">${y(e?.kind??"")}</span>
          <span class="foreign mono">${e?.jobId}</span> and its children will stop.
        </p>
        <label for="reason">Reason</label>
        <textarea
          id="reason"
          rows="2"
          maxlength=${im}
          placeholder="for whoever looks at this later"
        ></textarea>
        <label for="grace">Time to stop cleanly</label>
        <select id="grace">
          ${sm.map(([r,o])=>f`<option value=${r} ?selected=${r===30}>${o}</option>`)}
        </select>
        ${n?f`<p role="alert">It has ended meanwhile: ${n}.</p>`:h}
        ${this.error?f`<p class="failed" role="alert">${this.error}</p>`:h}
        <div class="actions">
          <button
            type="button"
            @click=${()=>{this.#t?.close()}}
          >
            ${n?"Close":"Keep it running"}
          </button>
          <button type="submit" class="danger" ?disabled=${this.busy||n!==""}>Cancel the job</button>
        </div>
      </form>
    </dialog>`}#e=async e=>{e.preventDefault();let n=this.renderRoot.querySelector("textarea")?.value??"",r=Number(this.renderRoot.querySelector("select")?.value??30);this.busy=!0;try{await this.store?.cancel(n,r),this.#t?.close()}catch(o){this.error=o instanceof Error?o.message:String(o)}this.busy=!1};get#t(){return this.renderRoot.querySelector("dialog")}};var pr={waiting:P`<circle cx="8" cy="8" r="5" fill="none" stroke="currentColor" stroke-width="1.6"/>`,running:P`<path d="M5 3.2v9.6L13 8z" fill="currentColor"/>`,stopping:P`<rect x="4" y="4" width="8" height="8" rx="1" fill="currentColor"/>`,succeeded:P`<path d="M3 8.6l3.2 3.2L13 5" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"/>`,failed:P`<path d="M4 4l8 8M12 4l-8 8" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round"/>`,cancelled:P`<circle cx="8" cy="8" r="5.4" fill="none" stroke="currentColor" stroke-width="1.8"/><path d="M4.4 11.6l7.2-7.2" stroke="currentColor" stroke-width="1.8"/>`,lost:P`<path d="M5.4 6a2.7 2.7 0 1 1 3.7 2.6c-.8.3-1.1.8-1.1 1.6" fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round"/><circle cx="8" cy="13" r="1.2" fill="currentColor"/>`,skipped:P`<path d="M4 8h8" stroke="currentColor" stroke-width="2" stroke-linecap="round"/>`},am={full:P`<circle cx="8" cy="8" r="4.5" fill="currentColor"/>`,half:P`<circle cx="8" cy="8" r="4.5" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M8 3.5a4.5 4.5 0 0 0 0 9z" fill="currentColor"/>`,empty:pr.waiting,cross:pr.failed,turned:P`<path d="M12.5 8A4.5 4.5 0 1 1 8 3.5h3M9 1.5l2.2 2L9 5.6" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"/>`,done:pr.succeeded};function D(t){return mr(pr[t],`icon ${t}`)}function Zl(t){return mr(am[t],"icon")}function Kl(){return mr(P`<rect x="5.5" y="5.5" width="8" height="8" rx="1.5" fill="none" stroke="currentColor" stroke-width="1.4"/><path d="M10.5 5.500V4A1.500 1.500 0 0 0 9 2.500H4A1.500 1.500 0 0 0 2.500 4v5A1.500 1.500 0 0 0 4 10.500h1.500" fill="none" stroke="currentColor" stroke-width="1.4"/>`,"icon")}function $s(t){return mr(P`<path d=${t?"M4 6l4 4 4-4":"M6 4l4 4-4 4"} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"/>`,"icon fold")}function mr(t,e){return f`<svg class=${e} viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
    ${t}
  </svg>`}function Xl(t){return f`<table part="artifacts">
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
            <td class="number">${e.sizeBytes?Ts(Number(e.sizeBytes)):""}</td>
            <td class="type muted"><span class="foreign">${y(e.mediaType)}</span></td>
            <td class="foreign mono own-line">
              ${lm(e.uri)}<milepost-copy
                .text=${e.uri}
                .label=${`copy where ${y(e.name,60)} is`}
              ></milepost-copy>
              ${e.sha256?f`<span class="muted" title="SHA-256">${e.sha256.slice(0,12)}…</span>`:h}
            </td>
          </tr>`)}
    </tbody>
  </table>`}function lm(t){return/^https?:\/\//i.test(t)?f`<a href=${t} rel="noopener noreferrer nofollow" target="_blank">${de(t)}</a>`:de(t)}function fr(t,e){let n=JSON.stringify(t,(r,o)=>typeof o=="bigint"?o.toString():o,2);return f`<div class="json">
    <milepost-copy .text=${n} .label=${`copy the ${e}`}></milepost-copy>
    <pre class="foreign mono" tabindex="0" aria-label=${e}>${de(n)}</pre>
  </div>`}function jl(t){return fr(ss(Kt,t),"job as JSON")}function Hl(t,e){return f`<table part="attempts">
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
              ${n.end===void 0?n.outcome?"":T((e-n.start)/1e3):K((n.end-n.start)/1e3)}
            </td>
            <td data-label="started" title=${W(n.start)}>${Q(n.start)}</td>
            <td class="foreign mono" data-label="by">${y(n.workerId,128)}</td>
            <td class="foreign own-line">
              ${n.failure?f`${y(n.failure.message,500)} <span class="muted mono">${n.failure.code}</span>`:h}
            </td>
          </tr>`)}
    </tbody>
  </table>`}function Ql(t,e,n,r){return f`<table part="children">
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
    ${e?f`<p class="muted">There are more children; the list shows all of them.</p>`:h}`}function zl(){try{new Headers}catch{throw new Error("connect-web requires the fetch API. Are you running on an old version of Node.js? Node.js is not supported in Connect for Web - please stay tuned for Connect for Node.")}}var rn=function(t){return this instanceof rn?(this.v=t,this):new rn(t)},cm=function(t,e,n){if(!Symbol.asyncIterator)throw new TypeError("Symbol.asyncIterator is not defined.");var r=n.apply(t,e||[]),o,s=[];return o=Object.create((typeof AsyncIterator=="function"?AsyncIterator:Object).prototype),a("next"),a("throw"),a("return",i),o[Symbol.asyncIterator]=function(){return this},o;function i(p){return function(g){return Promise.resolve(g).then(p,m)}}function a(p,g){r[p]&&(o[p]=function(E){return new Promise(function(x,$){s.push([p,E,x,$])>1||l(p,E)})},g&&(o[p]=g(o[p])))}function l(p,g){try{c(r[p](g))}catch(E){b(s[0][3],E)}}function c(p){p.value instanceof rn?Promise.resolve(p.value.v).then(u,m):b(s[0][2],p)}function u(p){l("next",p)}function m(p){l("throw",p)}function b(p,g){p(g),s.shift(),s.length&&l(s[0][0],s[0][1])}},ql={redirect:"error"};function Ms(t){var e;zl();let n=(e=t.useBinaryFormat)!==null&&e!==void 0?e:!1;return{async unary(r,o,s,i,a,l){let{serialize:c,parse:u}=qn(r,n,t.jsonOptions,t.binaryOptions);return s=s===void 0?t.defaultTimeoutMs:s<=0?void 0:s,await Ss({interceptors:t.interceptors,signal:o,timeoutMs:s,req:{stream:!1,service:r.parent,method:r,requestMethod:"POST",url:Qn(t.baseUrl,r),header:or(r.methodKind,n,s,i,!1),contextValues:l??Hn(),message:a},next:async m=>{var b;let p=t.useHttpGet===!0&&r.idempotency===On.NO_SIDE_EFFECTS,g=null;p?m=ws(m,c(m.message),n):g=c(m.message);let x=await((b=t.fetch)!==null&&b!==void 0?b:globalThis.fetch)(m.url,Object.assign(Object.assign({},ql),{method:m.requestMethod,headers:m.header,signal:m.signal,body:g})),{isUnaryError:$,unaryError:et}=sr(r.methodKind,n,x.status,x.headers);if($)throw zt(await x.json(),us(...nr(x.headers)),et);let[S,re]=nr(x.headers);return{stream:!1,service:r.parent,method:r,header:S,message:n?u(new Uint8Array(await x.arrayBuffer())):ls(r.output,await x.json(),zn(t.jsonOptions)),trailer:re}}})},async stream(r,o,s,i,a,l){let{serialize:c,parse:u}=qn(r,n,t.jsonOptions,t.binaryOptions);function m(p,g,E,x){return cm(this,arguments,function*(){let et=ms(p).getReader(),S=!1;for(;;){let re=yield rn(et.read());if(re.done)break;let{flags:Rt,data:kt}=re.value;if((Rt&Xn)===Xn)throw new R("protocol error: received unsupported compressed output",w.Internal);if((Rt&er)===er){S=!0;let uo=ys(kt);if(uo.error){let mn=uo.error;throw E.forEach((po,Wd)=>{mn.metadata.append(Wd,po)}),mn}uo.metadata.forEach((mn,po)=>g.set(po,mn));continue}yield yield rn(u(kt))}if("throwIfAborted"in x&&x.throwIfAborted(),!S)throw"missing EndStreamResponse"})}async function b(p){if(r.methodKind!="server_streaming")throw"The fetch API does not support streaming request bodies";let g=await p[Symbol.asyncIterator]().next();if(g.done==!0)throw"missing request message";return fs(0,c(g.value))}return s=s===void 0?t.defaultTimeoutMs:s<=0?void 0:s,await xs({interceptors:t.interceptors,timeoutMs:s,signal:o,req:{stream:!0,service:r.parent,method:r,requestMethod:"POST",url:Qn(t.baseUrl,r),header:or(r.methodKind,n,s,i,!1),contextValues:l??Hn(),message:a},next:async p=>{var g;let x=await((g=t.fetch)!==null&&g!==void 0?g:globalThis.fetch)(p.url,Object.assign(Object.assign({},ql),{method:p.requestMethod,headers:p.header,signal:p.signal,body:await b(p.message)}));if(sr(r.methodKind,n,x.status,x.headers),x.body===null)throw"missing response body";let $=new Headers;return Object.assign(Object.assign({},p),{header:x.headers,trailer:$,message:m(x.body,$,x.headers,p.signal)})}})}}}var ec=3e4,hr=class{#e;#t;#n;constructor(e=""){typeof e=="function"?this.#e=e:this.#t=e}async get(){return this.#t!==void 0?this.#t:(this.#n??=this.#r().finally(()=>this.#n=void 0),this.#n)}async renew(e){return this.#e===void 0?!1:(this.#t===e&&(this.#t=void 0),await this.get()!==e)}async#r(){let e,n=new Promise((r,o)=>{e=setTimeout(()=>{o(new _e(`nothing was returned within ${ec/1e3} s`))},ec)});try{return this.#t=await Promise.race([this.#e?.()??"",n]),this.#t}catch(r){throw r instanceof te?r:new _e(String(r),{cause:r})}finally{clearTimeout(e)}}},gr=class{#e;#t="";#n=!1;constructor(e){this.#e=e}async headers(){return this.#t=await this.#e.get(),this.#t===""?{}:{Authorization:`Bearer ${this.#t}`}}accepted(){this.#n=!1}async renew(e){return this.#n||!H(e,"TOKEN_EXPIRED","UNAUTHENTICATED")?!1:(this.#n=!0,this.#e.renew(this.#t))}};function tc(){let t=Date.now(),e=performance.now();return()=>Math.max(Date.now()-t,performance.now()-e)}function Gs(t,e){if(t===1/0)return()=>{};let n=tc(),r=t,o,s=()=>{let i=Math.min(Math.max(r-n(),0),5e3),a=tc();o=setTimeout(()=>{n()<r?s():r===t&&a()-i>=2e3?(r=n()+2e3,s()):e()},i)};return s(),()=>{clearTimeout(o)}}function nc(t,e){return new Promise(n=>{if(e.aborted||t<=0){n();return}let r=()=>{o(),e.removeEventListener("abort",r),n()},o=Gs(t,r);e.addEventListener("abort",r)})}async function yt(t,e){if(e===void 0)return t;let n=new AbortController,r=new Promise((o,s)=>{let i=()=>{s(e.reason)};e.addEventListener("abort",i,{signal:n.signal}),e.aborted&&i()});try{return await Promise.race([t,r])}finally{n.abort()}}var br=class{service;admin;timeoutMs;#e;constructor(e,n,r){this.service=jn(Qa,e),this.admin=jn(Pa,e),this.timeoutMs=r,this.#e=n}credential(){return new gr(this.#e)}async call(e,{signal:n,timeoutMs:r=this.timeoutMs}={}){let o=this.credential();for(;;){n?.throwIfAborted();try{let s=await yt(o.headers(),n);return await e({headers:s,signal:n,timeoutMs:r})}catch(s){n?.throwIfAborted();let i=Ae(s);if(!await yt(o.renew(i),n))throw i}}}};var on=class{#e=[];add(e){if(!Number.isFinite(e))return;let n=0,r=e;for(let o of this.#e){let[s,i]=Math.abs(r)<Math.abs(o)?[o,r]:[r,o];r=s+i;let a=i-(r-s);a!==0&&(this.#e[n++]=a)}this.#e.length=n,r!==0&&this.#e.push(r)}get value(){let e=this.#e,n=e.length-1,r=e[n]??0,o=0;for(;n>0&&o===0;){let i=r,a=e[--n]??0;r=i+a,o=a-(r-i)}let s=e[n-1]??0;if(o<0&&s<0||o>0&&s>0){let i=o*2,a=r+i;if(i===a-r)return a}return r}};function Qe(t){return t.state===1||t.state===2}var Js={weight:0,done:0,unplanned:!1,unknown:!1};function rc(t,e){let n=t.weight??1;if(!(n>0))return Js;let r=t.state===3||t.state===5,o=!t.planned;return{weight:n,done:n*(r?1:t.fraction),unplanned:o,unknown:o||e&&Qe(t)&&!t.fractionKnown}}var yr=class{#e=new on;#t=new on;#n=0;#r=0;#o=0;replace(e,n){e.weight!==n.weight&&(this.#e.add(n.weight),this.#e.add(-e.weight)),e.done!==n.done&&(this.#t.add(n.done),this.#t.add(-e.done)),this.#n+=+(n.weight>0)-+(e.weight>0),this.#r+=Number(n.unplanned)-Number(e.unplanned),this.#o+=Number(n.unknown)-Number(e.unknown)}get known(){return this.#n>0&&this.#o===0}get mean(){if(this.#n===0)return 0;let e=Math.min(this.#t.value/this.#e.value,1);return this.#r===0?e:e*this.#n/(this.#n+1)}};var vr=class{#e=[];#t=new Map;#n=new Map;#r=new Map;#o=new Map;constructor(e){this.reset(e)}get all(){return this.#e}get known(){return this.#s("").known}reset(e){this.#e=[...e],this.#t=new Map(e.map((n,r)=>[n.stageId,r])),this.#n=new Map;for(let n of e)this.#i(n);this.#r.clear(),this.#o.clear()}get(e){let n=this.#t.get(e);return n===void 0?void 0:this.#e[n]}isParent(e){return this.#n.has(e)}add(e){this.#t.set(e.stageId,this.#e.length),this.#e.push(e),this.#i(e),this.#a(e)}update(e,n){let r={...e,...n},o=this.#t.get(e.stageId);return o!==void 0&&(this.#e[o]=r,this.#a(r)),r}isKnown(e){return e.state===3?!0:this.isParent(e.stageId)?this.#s(e.stageId).known:e.total!==void 0}*around(e){let n=this.get(e.parentStageId);for(let r=this.#e.length;n!==void 0&&r>0;r--)yield n,n=this.get(n.parentStageId)}within(e){let n=new Set(this.#n.get(e.stageId));for(let r of n)for(let o of this.#n.get(r)??[])n.add(o);return[...n].flatMap(r=>this.get(r)??[])}carryUp(e){for(let n of this.around(e)){let r=this.#s(n.stageId).mean;r>n.fraction&&this.update(n,{fraction:r})}}carryKnownUp(e){for(let n of this.around(e)){if(!Qe(n))return;this.update(n,{fractionKnown:this.isKnown(n)})}}refreshKnown(){let e=this.#e.flatMap(n=>this.#t.has(n.parentStageId)?[]:n.stageId);for(let n of e)e.push(...this.#n.get(n)??[]);for(let n of e.reverse()){let r=this.get(n);r!==void 0&&Qe(r)&&this.update(r,{fractionKnown:this.isKnown(r)})}}#i(e){let n=this.#n.get(e.parentStageId);n===void 0?this.#n.set(e.parentStageId,[e.stageId]):n.push(e.stageId)}#s(e){let n=this.#r.get(e);if(n===void 0){n=new yr,this.#r.set(e,n);for(let r of this.#n.get(e)??[]){let o=this.get(r);o!==void 0&&this.#a(o)}}return n}#a(e){let n=this.#r.get(e.parentStageId);if(n!==void 0){let r=rc(e,this.isParent(e.stageId));n.replace(this.#o.get(e.stageId)??Js,r),this.#o.set(e.stageId,r)}}};var dm="RELEASED",ee=class{#e;#t;#n;#r;#o;constructor(e){this.#e=e??I(Kt),this.#t=new vr(this.#e.stages),this.#n=[...this.#e.artifacts],this.#r=new Map(this.#n.map(({name:n},r)=>[n,r])),this.#o=e}get job(){return this.#o??={...this.#e,stages:[...this.#t.all],artifacts:[...this.#n]},this.#o}get lastSequence(){return this.#e.lastSequence}apply(e){e.sequence<=this.#e.lastSequence||(this.#o=void 0,this.#i(e),this.#s({lastSequence:e.sequence}))}#i(e){let{payload:n,time:r}=e;switch(n.case){case"jobSubmitted":this.#p(n.value.job??I(Kt));break;case"jobStarted":this.#d(e,n.value.workerId,n.value.instance);break;case"stagesPlanned":this.#m(n.value);break;case"stageStarted":this.#y(e,n.value.stage??I(Fn));break;case"stageProgressed":this.#v(n.value);break;case"stageEnded":this.#E(e,n.value);break;case"artifactAdded":n.value.artifact!==void 0&&this.#f(n.value.artifact);break;case"cancelRequested":this.#s({state:3,cancellation:n.value.cancellation??I(rs)});break;case"cancelAcknowledged":this.#s({cancellation:{...this.#a,acknowledgeTime:r}});break;case"attemptEnded":{let{failure:o,retryTime:s}=n.value,i=o?.code===dm;this.#s({state:1,failure:o??I(Va),message:o?.message??"",retryTime:s??this.#e.retryTime,failedAttempts:this.#e.failedAttempts+(i?0:1)});let a=i?6:4;this.#l(l=>l.state===2?{...l,state:a,endTime:r}:l);break}case"jobEnded":this.#g(e,n.value);return;case"childrenProgressed":{let{total:o,jobFraction:s}=n.value;this.#s({fraction:s,fractionKnown:o>0&&o<=this.#e.plannedChildren});break}case"logWritten":case"custom":case void 0:break;default:}this.#t.all.length>0&&this.#s({fractionKnown:this.#t.known})}#s(e){this.#e={...this.#e,...e}}get#a(){return this.#e.cancellation??I(rs)}#l(e){this.#u(this.#t.all.map(e))}#u(e){this.#t.reset(e),this.#t.refreshKnown(),this.#s({fractionKnown:this.#t.known})}#p(e){this.#e=e,this.#n=[...e.artifacts],this.#r=new Map(e.artifacts.map(({name:n},r)=>[n,r])),this.#u(e.stages.map(n=>({...n,planned:!0})))}#d(e,n,r){this.#s({state:2,attempt:e.attempt,workerId:n,workerInstance:r,startTime:e.time,firstStartTime:this.#e.firstStartTime??e.time,fraction:0,message:"",failure:void 0,retryTime:void 0}),this.#l(o=>({...o,state:1,current:0,fraction:0,message:"",failure:void 0,startTime:void 0,endTime:void 0}))}#m(e){let n=this.#c(),r=new Map(n.map(({stageId:i,parentStageId:a})=>[i,a])),o=new Set(r.keys()),s=new Set([...r.values()].filter(i=>!o.has(i)));for(let{stageId:i,parentStageId:a,title:l,weight:c,total:u,unit:m}of e.stages)if(!o.has(i)){let p=s.has(i)&&sc(r,a,i)?"":a;r.set(i,p);let g=1;n.push(I(Fn,{stageId:i,parentStageId:p,title:l,weight:c,total:u,unit:m,state:g}))}e.plannedChildren>0&&this.#s({plannedChildren:e.plannedChildren}),this.#u(n.map(i=>({...i,planned:!0})))}#c(){let e=new Set;for(let n of this.#t.all)if(n.state!==1&&!e.has(n.stageId)){e.add(n.stageId);for(let r of this.#t.around(n)){if(e.has(r.stageId))break;e.add(r.stageId)}}return this.#t.all.filter(({stageId:n})=>e.has(n))}#y(e,n){let r=this.#t.get(n.stageId);if(r===void 0){let o=n.parentStageId;if(this.#t.isParent(n.stageId)){let s=new Map(this.#t.all.map(i=>[i.stageId,i.parentStageId]));o=sc(s,o,n.stageId)?"":o}r=I(Fn,{stageId:n.stageId,parentStageId:o}),this.#t.add(r)}r=this.#t.update(r,{title:n.title||r.title,weight:n.weight??r.weight,total:n.total??r.total,unit:n.unit||r.unit,message:n.message||r.message,state:2,startTime:e.time}),this.#t.update(r,{fractionKnown:this.#t.isKnown(r)}),this.#t.carryKnownUp(r)}#v(e){this.#s({fraction:e.jobFraction});let n=this.#t.get(e.stageId);n!==void 0&&(n=this.#t.update(n,{current:e.current,total:e.total??n.total,unit:e.unit||n.unit,message:e.message||n.message,fraction:e.fraction}),e.total!==void 0&&Qe(n)&&(n=this.#t.update(n,{fractionKnown:this.#t.isKnown(n)})),this.#t.carryUp(n))}#E(e,n){this.#s({fraction:n.jobFraction});let r=this.#t.get(n.stageId);r!==void 0&&(r=this.#t.update(r,{...oc(r,n.state),message:n.message||r.message,failure:n.failure??r.failure,endTime:e.time}),this.#h(this.#t.within(r),n.state,e),this.#t.carryUp(r),this.#t.carryKnownUp(r))}#h(e,n,r){for(let o of e)if(Qe(o)){let s=o.state===2||n===6;this.#t.update(o,{...oc(o,s?n:5),endTime:r.time})}}#f(e){let n=this.#r.get(e.name)??this.#n.length;this.#r.set(e.name,n),this.#n[n]=e}#g(e,n){let r=n.state===5||n.state===7,o=n.state===4;this.#s({failedAttempts:this.#e.failedAttempts+(r&&this.#e.state!==1?1:0),state:n.state,message:n.message,endTime:e.time,retryTime:void 0,failure:n.failure,result:n.result??this.#e.result,cancellation:n.forced?{...this.#a,forced:!0}:this.#e.cancellation,fraction:o?1:this.#e.fraction,fractionKnown:o||this.#e.fractionKnown}),this.#h([...this.#t.all],um(n.state),e)}};function oc(t,e){return e===3?{state:e,fraction:1,fractionKnown:!0}:{state:e,fraction:t.fraction}}function um(t){return t===4?3:t===5||t===7?4:6}function sc(t,e,n){let r=e;for(let o=t.size;r!==""&&r!==n&&o>=0;o--)r=t.get(r)??"";return r!==""&&r===n}var Er=class{#e;#t=new ee;constructor(e){this.#e=e}get connection(){return this.#e.connection}get waiting(){return this.#e.waiting}async*[Symbol.asyncIterator](){for await(let e of this.#e.batches()){for(let r of e)r.type==="snapshot"?this.#t=new ee(r.job):r.type==="event"&&this.#t.apply(r.event);let n=e.length>0&&e.every(({type:r})=>r==="gap");this.#t.lastSequence>0n&&!n&&(yield{...this.#t.job,estimate:this.#e.estimate})}}close(){this.#e.close()}};var pm=new Set([4,5,6,7]);function wr(t){return pm.has(t.state)}var xr=1e4,Sr=class{#e;#t;delivery;constructor({payloads:e=[],stages:n=[],latestProgress:r=!1}){this.#e=new Set(e),this.#t=n,this.delivery=r?2:0}get isFiltered(){return this.#e.size>0||this.#t.length>0||this.delivery===2}filter(...e){if(this.#e.size===0&&this.#t.length===0)return;let n=this.#e.size===0?[]:[...new Set([...this.#e,...e])];return I(Xa,{payloads:n.map(mm),stageIds:[...this.#t]})}includes(e){return this.#e.size===0||this.#e.has(e.payload.case??"")}};function mm(t){return t.replace(/[A-Z]/g,e=>`_${e.toLowerCase()}`)}function fm(t){return H(t,"SEQUENCE_TRIMMED")?{type:"gap",why:"trimmed",error:t}:H(t,"EPOCH_CHANGED")?{type:"gap",why:"restarted",error:t}:void 0}var vt=class{epoch;head=0n;caughtUp=!1;opened=!1;reachedHead=!1;clockOffsetMs;storeAway=!1;start;selection;options;constructor(e){let{after:n,start:r="beginning",epoch:o=""}=e;if(n!==void 0&&e.start!==void 0)throw new TypeError("A watch starts after a cursor, or by `start`: give one of them.");this.options=e,this.selection=new Sr(e),this.start=r==="beginning"?"after":r,this.epoch=o}get complete(){return this.reachedHead&&!this.follows}get follows(){return this.options.follow??!0}newStream(e,n,r){return this.opened=this.reachedHead=!1,{start:{after:r===void 0?{case:void 0}:{case:n,value:r},snapshot:{case:"fromSnapshot",value:!0},latest:{case:"fromLatest",value:!0}}[this.start],epoch:this.epoch,delivery:this.selection.delivery,noFollow:e||!this.follows,statusInterval:en(this.options.statusIntervalMs??(e&&this.follows?xr:void 0))}}checkOpened(e){if(!this.opened)throw new Z(`The stream began with ${e??"an unknown frame"}, not with opened.`)}gapInstead(e){return this.options.onGap==="throw"?void 0:fm(e)}noteOpened(e){this.opened=!0,e.serverTime!==void 0&&(this.clockOffsetMs=ut(e.serverTime)-Date.now()),e.epoch!==this.epoch&&(this.epoch=e.epoch,this.head=0n),this.raiseHead(e.headSequence)}raiseHead(e){e>this.head&&(this.head=e)}};var hm=new Set(["jobStarted","attemptEnded","cancelRequested","jobEnded"]),Ir=class extends vt{sequence;ended=!1;estimate;waiting;#e;#t="";#n=0n;constructor(e,n){super(n),this.#e=e,this.sequence=n.after??0n}request(e){return I(ja,{jobId:this.#e,filter:this.selection.filter("jobEnded"),...this.newStream(e,"afterSequence",this.sequence),...this.start==="snapshot"?{epoch:""}:{}})}get resumeAfter(){return this.sequence}get complete(){return this.ended||super.complete}get acceptsJobs(){return this.options.onGap!=="throw"}accept(e){let{frame:n}=e;if(n.case==="opened")return this.#r(n.value),[];switch(this.checkOpened(n.case),n.case){case"events":return this.#i(n.value.events);case"snapshot":return this.start!=="snapshot"||n.value.job===void 0?[]:(this.epoch=this.#t,this.#o(n.value.job));case"caughtUp":return this.#a(n.value.sequence),this.caughtUp=this.reachedHead=!0,[];case"status":return this.#s(n.value),[];case void 0:return[]}}acceptPresent(e,n){this.estimate=e?.estimate,this.waiting=n}acceptJob(e){let n=this.start!=="after"||e.epoch!==this.epoch||e.lastSequence>this.sequence,r=this.start!=="snapshot"&&this.epoch!==""&&e.epoch!==this.epoch;if(this.epoch=e.epoch,!n)return[];let o=this.#o(e),s=new Z("The store was replaced.");return r?[{type:"gap",why:"restarted",error:s},...o]:o}recover(e){let n=this.gapInstead(e);if(!(n===void 0||this.start==="snapshot"))return this.start="snapshot",this.head=0n,[n]}#r(e){if(this.start==="after"&&e.cursor!==this.sequence)throw new Z(`The stream opened after ${e.cursor}, not after ${this.sequence}.`);this.start==="latest"&&(this.start="after",this.sequence=e.cursor);let n=this.epoch;this.noteOpened(e),this.#t=e.epoch,this.start==="snapshot"&&(this.epoch=n),this.#n=e.thinnedSequence}#o(e){return this.start="after",this.sequence=e.lastSequence,this.raiseHead(e.lastSequence),this.estimate=e.estimate,e.state!==1&&(this.waiting=void 0),wr(e)&&(this.ended=this.caughtUp=!0),[{type:"snapshot",job:e}]}#i(e){let n=[];for(let r of e){if(this.ended)throw new Z(`Event ${r.sequence} came after the end of the job.`);if(this.start==="snapshot")throw new Z("The stream sent events, but no snapshot.");let{sequence:o}=r;if(o!==this.sequence+1n&&!this.#l(o-1n))throw new Z(`Event ${o} came after ${this.sequence}.`);this.sequence=o,hm.has(r.payload.case)&&(this.estimate=void 0),(r.payload.case==="jobStarted"||r.payload.case==="jobEnded")&&(this.waiting=void 0),r.payload.case==="jobEnded"&&(this.ended=this.caughtUp=!0),this.selection.includes(r)&&n.push({type:"event",event:r})}return this.raiseHead(this.sequence),n}#s(e){this.#a(e.cursor),this.raiseHead(e.headSequence),this.estimate=e.estimate,this.waiting=e.waiting,this.storeAway=e.storeAway}#a(e){if(e>this.sequence){if(!this.#l(e))throw new Z(`The stream stands at ${e}, but has sent only up to ${this.sequence}.`);this.sequence=e}this.raiseHead(e)}#l(e){return this.sequence<=e&&(this.selection.isFiltered||e<=this.#n)}};var Ar=class{dueAt=0;#e;#t=new AbortController;constructor(e){this.#e=e}isPaused(){return this.#e&&Me()}listen(e,{signal:n}){if(n.aborted)return;let r=Pl(()=>{this.dueAt=0,this.wake()}),o=dr(()=>{this.isPaused()&&e()}),s=()=>{r(),o()};n.addEventListener("abort",s)}waitUntilDue(){return this.#n(this.dueAt-Date.now())}waitForWake(){return this.#n(1/0)}wake(){this.#t.abort()}async#n(e){e>0&&(this.#t=new AbortController,await nc(e,this.#t.signal))}};var Nr=class{fruitless=0;#e;#t;constructor(e,n=Math.random){this.#e=e,this.#t=n}next(e=0){let{initialMs:n,maximumMs:r}=this.#e,o=Math.min(n*2**this.fruitless,r);return this.fruitless++,e+o/2*(1+this.#t())}reset(){this.fruitless=0}};var gm=["received","head"],Rr=class{hasConnected=!1;#e=Date.now();#t;#n;#r;#o;#i;#s;constructor(e,n,r){this.#t=e,this.#n=n,this.#r=r,this.#s=this.#l("connecting")}get current(){return this.#s}heard(){this.#e=Date.now()}advanced(e,n){this.#a(e);let{isCalling:r,isPolling:o,blocked:s}=n;!this.#t.opened&&!r||(this.#t.reachedHead||r?(this.#i=void 0,this.set(o?"polling":"live",s)):this.#s.state!=="polling"&&this.set("catching-up"))}lost(e,n,r){this.#a(e),this.becomeStale(n instanceof ce?this.#e:Date.now()),this.set(this.hasConnected?"reconnecting":"connecting",n,r)}becomeStale(e){this.hasConnected&&(this.#i??=e)}set(e,n,r){let o=this.#s,s=this.#l(e,n,r);this.#s=s,Object.keys(s).some(a=>o[a]!==s[a]&&(e==="catching-up"||!gm.includes(a)))&&this.#r?.(s)}#a(e){e.some(n=>n.type==="gap"&&n.why==="restarted")&&(this.#o=Date.now())}#l(e,n,r){return{state:e,received:this.#t.resumeAfter,head:this.#t.head,retryAt:e==="reconnecting"?r:void 0,error:n,staleSince:this.#i,restartedAt:this.#o,storeAway:this.#t.storeAway,fruitless:this.#n.fruitless}}};var bm=500,Us=Symbol("end of the stream"),ze=Symbol("the stream was cancelled"),kr=class{#e=new AbortController;#t;#n;get isOpen(){return this.#t!==void 0}open(e){this.#e=new AbortController,this.#t=e(this.#e.signal)[Symbol.asyncIterator]()}async read(e){let n=this.#t;if(n===void 0)return ze;let r=()=>{},o=new Promise((i,a)=>{this.#n=()=>{i(ze)},r=Gs(e,()=>{a(new ce(e))})}),s=n.next();try{let i=await Promise.race([s,o]);return this.#t!==n||i===ze?ze:i.done===!0?(this.#t=void 0,Us):i.value}catch(i){if(this.#t!==n)return ze;throw i}finally{r(),s.catch(()=>{})}}async drain(){try{for(;typeof await this.read(bm)!="symbol";);}catch{}this.cancel()}cancel(){this.#t!==void 0&&(this.#t=void 0,this.#e.abort()),this.#n?.()}};var Tr=class{mode="stream";blockedStreams=0;#e=0;#t=0;#n;constructor(e){this.#n=e}streamOpened(){this.#e=0,this.mode==="stream"&&(this.blockedStreams=0)}streamFailed(e){return this.#e++,e||this.#e>=2}probed(e,n,r){if(!e)return this.mode="stream",this.blockedStreams=0,!1;if(this.blockedStreams++,this.mode==="stream"&&(r||this.blockedStreams>=3))this.mode="replay",this.#t=n;else if(this.mode==="replay")this.mode="call",this.#t=n;else return!1;return this.#e=0,!0}callFailed(){this.mode="stream",this.blockedStreams=0,this.#e=0}retryStream(e){this.mode!=="stream"&&e-this.#t>=this.#n&&(this.mode="stream",this.blockedStreams=2,this.#e=1)}};var ym=6,Os=new ir,Cr=class{isFinite=!1;fallback;#e;#t;#n=0;#r=!1;constructor(e){this.#e=e,this.fallback=new Tr(e.timing.streamRetryMs)}get isCalling(){return this.fallback.mode==="call"}get isPolling(){return this.isCalling||this.isFinite}get blocked(){return this.fallback.mode==="stream"?void 0:Os}async prepareStream(e){let n=this.fallback.mode==="stream"&&e;n&&(this.#t??=await this.#e.slots.take()),this.isFinite=!n||this.#t===void 0}get openTimeoutMs(){let{timing:e,calls:n}=this.#e;return this.#n>0||this.fallback.blockedStreams>0?e.probeMs:n.timeoutMs}suspectConnections(){this.#n=this.#r?ym:0}streamOpened(){this.#r=!0,this.#n=0,this.fallback.streamOpened()}giveSlotBack(){this.#t?.(),this.#t=void 0}async check(e,n,r){let{fallback:o}=this;if(e instanceof _e)return!1;if(e instanceof ce&&this.#n>0&&o.blockedStreams===0)return this.#n--,!1;if(e instanceof j&&e.reason!=="UNSPECIFIED")this.streamOpened();else if(o.mode==="call")o.callFailed();else if(o.streamFailed(n)){let s=await this.#o(r);if(o.probed(s,Date.now(),n))return this.giveSlotBack(),!0}return!1}async#o(e){let{timing:n,calls:r}=this.#e;try{return await e(Math.min(n.probeMs,r.timeoutMs)),!0}catch(o){let s=Ae(o);if(ar(s,!0))return!1;throw s}}};var vm=2.5,Em=3e4,Et=class{context;cursor;#e;#t;#n;#r;#o;#i;#s=new kr;#a=new AbortController;#l;#u;#p=!1;#d=!1;constructor(e,n,r){let{timing:o,calls:s}=e;this.context=e,this.cursor=n,this.#e=r,this.#t=s.credential(),this.#n=new Nr({initialMs:o.backoffMs,maximumMs:o.maximumBackoffMs}),this.#r=new Cr(e),this.#o=new Rr(n,this.#n,r.onConnection),this.#i=new Ar(r.pauseWhenHidden===!0),this.#l=this.#m()}get epoch(){return this.cursor.epoch}get head(){return this.cursor.head}get caughtUp(){return this.cursor.caughtUp}get clockOffsetMs(){return this.cursor.clockOffsetMs}get connection(){return this.#o.current}batches(){return this.#l}async*[Symbol.asyncIterator](){for await(let e of this.#l)for(let[n,r]of e.entries())this.onYield(r,n===e.length-1),yield r}get closing(){return this.#a.signal}get isPaused(){return this.#i.isPaused()}close(){this.#a.abort(),this.#i.wake(),this.#s.cancel(),this.#r.giveSlotBack()}fetchMissing(){return Promise.resolve([])}isNews(){return!1}isComplete(){return!1}hasEnded(){return Promise.resolve(!1)}async*#m(){let{signal:e}=this.#e,n={signal:this.closing},r=()=>{this.close()};e?.addEventListener("abort",r,n);let o=()=>{this.#s.cancel()};this.#i.listen(o,n);try{e?.throwIfAborted();let s=this.#e.connectTimeoutMs??Em;for(this.#u=Date.now()+s,this.#o.set("connecting");!this.#c();){let i=await this.#y();e?.throwIfAborted();let a=this.isNews();if((i.length>0||a)&&!this.#c()&&(yield i),this.isComplete()){await this.#s.drain();break}}}finally{this.close(),this.#o.set("ended")}e?.throwIfAborted()}#c(){return this.#a.signal.aborted}async#y(){try{return await this.#v()}catch(e){return this.#c()?[]:this.#b(Ae(e))}}async#v(){if(await this.#E(),this.#c()||await this.#i.waitUntilDue(),this.#c()||this.#i.isPaused())return[];let e=await this.fetchMissing();if(e.length>0||this.isPaused)return e;if(!this.#s.isOpen){if(this.#r.fallback.retryStream(Date.now()),this.#r.isCalling)return this.#g();await this.#h()}let n=await this.#s.read(this.#f);if(n===ze)return[];if(n===Us)return await this.#w(),[];this.#o.heard();let r=this.cursor.opened,o=this.cursor.accept(n);return!r&&this.cursor.opened&&(this.#t.accepted(),this.#r.streamOpened(),this.#o.hasConnected=!0),(o.length>0||this.cursor.reachedHead)&&(this.#n.reset(),this.#p=!1),this.#o.advanced(o,this.#r),o}async#E(){if(this.#i.isPaused()){for(this.#s.cancel(),this.#r.giveSlotBack(),this.#o.becomeStale(Date.now()),this.#o.set("paused");this.#i.isPaused()&&!this.#c();)await this.#i.waitForWake();this.#i.dueAt=0,this.#r.suspectConnections()}}async#h(){let e=await yt(this.#t.headers(),this.closing);if(await this.#r.prepareStream(this.#e.follow!==!1),this.#c()||this.isPaused){this.#r.giveSlotBack();return}this.#s.open(n=>this.open(this.#r.isFinite,e,n))}get#f(){let e=this.#e.statusIntervalMs??xr,n=vm*e+this.context.timing.silenceMs;return this.cursor.opened?n:Math.min(n,this.#r.openTimeoutMs)}async#g(){let n=(await this.ask(this.context.calls.timeoutMs))();if(this.#o.heard(),n===void 0)throw Os;return this.#i.dueAt=Date.now()+this.context.timing.pollMs,this.#o.advanced(n,this.#r),n}async#w(){let{complete:e,reachedHead:n}=this.cursor,r=n&&!(this.#r.isFinite&&this.#d);if(e||r&&await this.hasEnded())this.close();else if(n&&this.#r.isFinite)this.#d=!0,this.#i.dueAt=Date.now()+this.context.timing.pollMs;else throw new Ie("the stream ended before the job did")}async#b(e){let{opened:n}=this.cursor;this.#s.cancel(),e instanceof ce&&(this.context.dropConnection(),n&&this.#r.suspectConnections());let r=this.cursor.recover(e),{renewed:o,cause:s}=await this.#S(e);if(this.#c())return[];let i=Date.now(),{hasConnected:a}=this.#o,l=a||this.#e.connectTimeoutMs===1/0;if(r===void 0&&!o&&!ar(s,l))throw s;let c=0;if((r===void 0||this.#p)&&(c=o?0:this.#n.next(s instanceof j?s.retryDelayMs:0)),this.#i.dueAt=i+c,this.#o.lost(r??[],s,this.#i.dueAt),r!==void 0)return this.#p=!0,r;let u=!a&&this.#u!==void 0&&i>=this.#u;if(n||await this.#x(s,u),u&&this.#r.fallback.mode==="stream")throw s;return[]}async#S(e){try{return{renewed:await yt(this.#t.renew(e),this.closing),cause:e}}catch(n){return{renewed:!1,cause:Ae(n)}}}async#x(e,n){await this.#r.check(e,n,r=>this.ask(r))&&(this.#o.hasConnected=!0,this.#i.dueAt=0,this.#o.set("polling",this.#r.blocked))}};var Lr=class extends Et{jobId;#e;#t;#n=!1;#r;#o;constructor(e,n,r){let o=new Ir(n,r);super(e,o,r),this.jobId=n,this.#e=o.sequence,this.#t=o.epoch}get sequence(){return this.#n?this.#e:this.cursor.sequence}get epoch(){return this.#n?this.#t:this.cursor.epoch}get estimate(){return this.cursor.estimate}get waiting(){return this.cursor.waiting}isNews(){let{estimate:e,waiting:n}=this.cursor,r=!ic(Wa,e,this.#r)||!ic(Za,n,this.#o);return this.#r=e,this.#o=n,r}isComplete(){return this.cursor.ended}open(e,n,r){return this.context.calls.service.watchJob(this.cursor.request(e),{headers:n,signal:r})}async ask(e){let{job:n,waiting:r}=await this.#i(e);return()=>(this.cursor.acceptPresent(n,r),this.cursor.acceptsJobs&&n!==void 0?this.cursor.acceptJob(n):void 0)}async hasEnded(){let{job:e}=await this.#i(this.context.calls.timeoutMs);return e!==void 0&&wr(e)&&e.lastSequence===this.cursor.sequence}onYield(e,n){this.#n=!n,e.type!=="gap"&&(this.#e=e.type==="event"?e.event.sequence:e.job.lastSequence,this.#t=this.cursor.epoch)}#i(e){let{calls:n}=this.context;return n.call(r=>n.service.getJob({jobId:this.jobId},r),{timeoutMs:e,signal:this.closing})}};function ic(t,e,n){return e===n||e!==void 0&&n!==void 0&&os(t,e,n)}var wm=10000n,_r=class{#e=!1;#t=new Map;#n=new Map;#r;retainAll(e){this.#e=e}get isEmpty(){return this.#t.size===0&&this.#n.size===0}get jobs(){return new Set([...this.#t.keys(),...this.#n.keys()])}recordJob(e){let n=this.#i(e.jobId);return this.#t.set(e.jobId,{sequence:e.lastSequence,epoch:e.epoch}),!this.#e&&this.#t.size>1e4&&this.#s(),n?.sequence!==e.lastSequence||(n.epoch??e.epoch)!==e.epoch}recordEvents(e){return this.isEmpty&&!this.#e?e:e.filter(n=>this.#o(n))}forget(e){this.#t.delete(e),this.#n.delete(e)}expireAfter(e){this.#e||(this.#s(),this.#r=e+wm)}advance(e){this.#r!==void 0&&e>this.#r&&!this.#e&&(this.#n.clear(),this.#r=void 0)}clear(){this.#t.clear(),this.#n.clear(),this.#r=void 0,this.#e=!1}#o({jobId:e,sequence:n}){let r=this.#i(e);return r!==void 0&&n<=r.sequence?!1:(this.#e?this.#t.set(e,{sequence:n,epoch:r?.epoch}):r!==void 0&&this.forget(e),!0)}#i(e){return this.#t.get(e)??this.#n.get(e)}#s(){this.#n=this.#t,this.#t=new Map,this.#r=void 0}};var Sm=new Set(["attemptEnded","cancelRequested","jobEnded"]),$r=class extends vt{filter;position;missing=[];estimates=new Map;newEstimates=0;#e=new _r;#t=0n;#n;#r=0n;#o=new Set;constructor(e,n){super(n),this.filter=e,this.position=n.after===0n?void 0:n.after,this.#n=n.after??0n}request(e){return this.#r=0n,this.#o.clear(),I(Ha,{filter:this.filter,eventFilter:this.selection.filter(),...this.newStream(e,"afterPosition",this.position)})}get resumeAfter(){return this.position??0n}accept(e){let{frame:n}=e;if(n.case==="opened")return this.#i(n.value);switch(this.checkOpened(n.case),n.case){case"events":return this.#s(n.value);case"snapshot":return this.#a(n.value);case"deleted":{let{jobId:r,position:o}=n.value,s=this.#d(o);return s&&(this.#e.forget(r),this.estimates.delete(r)),s?[{type:"deleted",jobId:r}]:[]}case"trimmed":{let{jobId:r,firstSequence:o,position:s}=n.value;return this.#d(s)?[{type:"trimmed",jobId:r,firstSequence:o}]:[]}case"caughtUp":return this.#d(n.value.sequence),this.caughtUp=this.reachedHead=!0,this.#e.expireAfter(n.value.sequence),[];case"status":return this.#l(n.value),[];case void 0:return[]}}recover(e){if((this.start==="snapshot"||this.start==="after"&&this.position===void 0)&&H(e,"SEQUENCE_TRIMMED"))return[];let r=this.gapInstead(e);if(r!==void 0)return this.start="snapshot",this.position=void 0,this.epoch="",this.head=0n,this.caughtUp=!1,this.#n=0n,this.#e.clear(),this.missing.length=0,this.estimates.clear(),[r]}acceptList(e,n){this.start="snapshot",this.position=void 0,this.caughtUp=!0,this.#e.retainAll(!0);let r=new Set(e.map(({jobId:s})=>s));n&&this.missing.push(...[...this.#e.jobs].filter(s=>!r.has(s)));for(let s of e)this.#u(s);return this.newEstimates+=Number(e.some(({estimate:s})=>s!==void 0)),e.filter(s=>this.#e.recordJob(s)).map(s=>({type:"snapshot",job:s}))}get acceptsJobs(){return this.options.onGap!=="throw"}acceptMissing(e,n){this.missing.splice(this.missing.indexOf(e),1);let r=n!==void 0&&this.#e.recordJob(n);return(this.start==="snapshot"||n===void 0)&&this.#e.forget(e),n===void 0?[{type:"deleted",jobId:e}]:r?[{type:"snapshot",job:n}]:[]}#i(e){let n=[];if(this.epoch!==""&&e.epoch!==this.epoch&&!this.#e.isEmpty){let r=xm(this.epoch,e.epoch),o=this.recover(r);if(o===void 0)throw r;n=o}if(this.start==="after"){if(e.cursor!==this.resumeAfter)throw new Z(`The stream opened after ${e.cursor}, not after ${this.resumeAfter}.`);if(this.position===0n&&e.firstSequence>1n)throw Im(e);this.position===void 0&&(this.#t=e.firstSequence-1n,this.#e.retainAll(this.#t>0n))}else this.start==="latest"?(this.start="after",this.position=e.cursor):this.#e.retainAll(!0);return this.noteOpened(e),n}#s(e){let n=this.#e.recordEvents(e.events);this.#d(e.position);for(let r of n)this.#p(r);return n.map(r=>({type:"event",event:r}))}#a({job:e,position:n}){return e===void 0?[]:(n>0n?this.#d(n):this.#o.add(e.jobId),this.#u(e),this.#e.recordJob(e)?[{type:"snapshot",job:e}]:[])}#l(e){this.#d(e.cursor),this.raiseHead(e.headSequence),this.storeAway=e.storeAway,this.#e.expireAfter(e.cursor),this.newEstimates+=+(e.jobEstimates.length>0);for(let{jobId:n,estimate:r}of e.jobEstimates)this.estimates.set(n,r)}#u({jobId:e,estimate:n}){n===void 0?this.estimates.delete(e):this.estimates.set(e,n)}#p({jobId:e,payload:n}){Sm.has(n.case)&&this.estimates.delete(e)}#d(e){if(e<this.#r)throw new Z(`The stream went back from ${this.#r} to ${e}.`);this.#r=e,this.raiseHead(e);let n=e>this.#n;return n&&(this.#n=e),this.start==="snapshot"?(this.#m(),this.position=e):this.position!==void 0?this.position=e>this.position?e:this.position:e>=this.#t&&(this.#e.retainAll(!1),this.position=e),this.#e.advance(e),n}#m(){this.start="after",this.#e.retainAll(!1);for(let e of this.#e.jobs)this.#o.has(e)||this.missing.push(e);this.#o.clear()}};function xm(t,e){return new j("The store was replaced while the server listed the jobs.",{reason:"EPOCH_CHANGED",code:w.FailedPrecondition,metadata:{requested:t,epoch:e}})}function Im(t){return new j(`The watch cannot go on after 0: the oldest position in the store is ${t.firstSequence}.`,{reason:"SEQUENCE_TRIMMED",code:w.OutOfRange,metadata:{requested:"0",first:`${t.firstSequence}`,head:`${t.headSequence}`}})}var Am=1e3,Mr=class extends Et{#e;#t=!1;#n=0;constructor(e,n,r){let o=new $r(n,r);super(e,o,r),this.#e=o.position}get position(){return this.#t?this.#e:this.cursor.position}estimateOf(e){let{estimates:n}=this.cursor;if(e.state===2)return n.has(e.jobId)?n.get(e.jobId):e.estimate}isNews(){let e=this.cursor.newEstimates!==this.#n;return this.#n=this.cursor.newEstimates,e}open(e,n,r){return this.context.calls.service.watchJobs(this.cursor.request(e),{headers:n,signal:r})}async ask(e){let{calls:n}=this.context,r={filter:this.cursor.filter,pageSize:Am},{jobs:o,nextPageToken:s}=await n.call(i=>n.service.listJobs(r,i),{timeoutMs:e,signal:this.closing});return()=>this.cursor.acceptsJobs?this.cursor.acceptList(o,s===""):void 0}async fetchMissing(){for(let e=this.cursor.missing[0];e!==void 0&&!this.isPaused;e=this.cursor.missing[0]){let n=this.cursor.acceptMissing(e,await this.#r(e));if(n.length>0)return n}return[]}onYield(e,n){this.#t=!n,n&&(this.#e=this.cursor.position)}async#r(e){let{calls:n}=this.context;try{let{job:r}=await n.call(o=>n.service.getJob({jobId:e},o),{signal:this.closing});return r}catch(r){if(H(r,"JOB_NOT_FOUND"))return;throw r}}};var ac={take:()=>Promise.resolve(()=>{})},Nm=4,Gr=class t{static#e=new Map;#t;#n=!1;constructor(e){this.#t=e}static of(e){let{origin:n}=new URL(e,globalThis.location.href),r=t.#e.get(n)??new t(n);return t.#e.set(n,r),r}async take(){if(Yl(this.#t))return()=>{};if(this.#n)return;this.#n=!0;let e=await Rm(this.#t);if(e===void 0){this.#n=!1;return}return()=>{this.#n=!1,e()}}};async function Rm(t){let e=globalThis.navigator.locks;if(e===void 0)return()=>{};try{for(let n=0;n<Nm;n++){let r=await km(e,`milepost-stream-${n} ${t}`);if(r!==void 0)return r}return}catch{return()=>{}}}function km(t,e){return new Promise((n,r)=>{t.request(e,{ifAvailable:!0},o=>{if(o===null){n(void 0);return}return new Promise(s=>{n(s)})}).catch(r)})}var lc={backoffMs:1e3,maximumBackoffMs:3e4,pollMs:2e3,streamRetryMs:3e5,probeMs:5e3,silenceMs:5e3};var Tm=1e3,sn=class{#e;#t;constructor(e,{transport:n,slots:r=ac,dropConnection:o}){let{token:s,timeoutMs:i=3e4,timing:a}=e;this.#e=new br(n,new hr(s),i),this.#t={calls:this.#e,timing:{...lc,...a},slots:r,dropConnection:o??(()=>{})}}async submitJob(e,n){let r={requestId:Lm(),...e},{job:o}=await this.#e.call(s=>this.#e.service.submitJob(r,s),n);return Ds(o)}async getJob(e,n){return(await this.lookUp(e,n)).job}async getWaiting(e,n){return(await this.lookUp(e,n)).waiting}async getWaitingOf(e,n={}){let r=new Map;if(e.length===0)return r;let o={jobIds:[...e]},s={pageSize:e.length,waitingOnly:!0,...n};for await(let i of this.#n(o,s))for(let{jobId:a,waiting:l}of i.waiting)l&&r.set(a,l);return r}async lookUp(e,n){let{job:r,waiting:o}=await this.#e.call(s=>this.#e.service.getJob({jobId:e},s),n);return{job:Ds(r),waiting:o}}async*listJobs(e={},n={}){for await(let r of this.#n(e,n))yield*r.jobs}async*#n(e,n){let{pageSize:r=0,orderBy:o="",waitingOnly:s=!1,...i}=n,a="";do{let l={filter:e,pageSize:r,orderBy:o,pageToken:a,waitingOnly:s},c=await this.#e.call(u=>this.#e.service.listJobs(l,u),i);yield c,a=c.nextPageToken}while(a!=="")}async cancelJob(e,n={}){let{reason:r="",gracePeriodMs:o,...s}=n,i={jobId:e,reason:r,gracePeriod:en(o)},{job:a}=await this.#e.call(l=>this.#e.service.cancelJob(i,l),s);return Ds(a)}async deleteJob(e,n){await this.#e.call(r=>this.#e.service.deleteJob({jobId:e},r),n)}async shareJob(e,n={}){let{ttlMs:r,scopes:o=[],...s}=n,i={jobId:e,ttl:en(r),scopes:[...o]},{token:a,expireTime:l}=await this.#e.call(c=>this.#e.service.shareJob(i,c),s);return{token:a,expireTime:l}}async revokeShares(e,n){await this.#e.call(r=>this.#e.service.revokeShares({jobId:e},r),n)}whoAmI(e){return this.#e.call(n=>this.#e.service.whoAmI({},n),e)}getHistory(e,{owner:n="",...r}={}){return this.#e.call(o=>this.#e.service.getHistory({kind:e,owner:n},o),r)}async*listWorkers(e="",n={}){let r="";do{let o={kind:e,pageSize:Tm,pageToken:r},s=await this.#e.call(i=>this.#e.admin.listWorkers(o,i),n);yield*s.workers,r=s.nextPageToken}while(r!=="")}watchJob(e,n={}){return new Lr(this.#t,e,n)}watchJobs(e={},n={}){return new Mr(this.#t,Cm(e),n)}followJob(e,n={}){return new Er(this.watchJob(e,{latestProgress:!0,...n,start:"snapshot"}))}};function Cm(t){return I(Ka,t)}function Lm(){let t=new Uint8Array(16),{crypto:e}=globalThis;return e===void 0?t.forEach((n,r)=>t[r]=Math.floor(Math.random()*256)):e.getRandomValues(t),Array.from(t,n=>n.toString(16).padStart(2,"0")).join("")}function Ds(t){if(t===void 0)throw new Z("The response has no job.");return t}function cc(t={}){if(t.transport!==void 0)return new sn(t,{transport:t.transport});let e="document"in globalThis,n=t.baseUrl??globalThis.location.origin;return new sn(t,{transport:Ms({baseUrl:n,useBinaryFormat:!0}),slots:e?Gr.of(n):void 0})}var Bs=["jobStarted","stageStarted","stageEnded","attemptEnded","jobEnded"];function pc(t,e,n){let r=[],o=v(t.submitTime)??0,s=e.some(({payload:i,attempt:a})=>i.case==="jobStarted"&&a===n?.attempt);n&&!s&&dc(r,n,o);for(let{attempt:i,time:a,payload:l}of e){let c=v(a)??o,u=r.at(-1);if(l.case==="jobStarted")r.push({number:i,queued:o,start:c,workerId:l.value.workerId,outcome:"",stages:new Map});else if(u){if(l.case==="stageStarted"){let m=l.value.stage?.stageId??"";u.stages.set(m,{start:c,state:2})}else if(l.case==="stageEnded")fc(u.stages.get(l.value.stageId),c,l.value.state);else if(l.case==="attemptEnded"){let m=l.value.failure,b=m?.code==="RELEASED";uc(u,c,b?"released":"failed",b?6:4),m&&(u.failure=m),o=c}else if(l.case==="jobEnded"){let m=l.value.state;uc(u,c,C(m).word,_m[m]??4),l.value.failure&&(u.failure=l.value.failure)}}else continue}return dc(r,t,o),r}function mc(t,e,n,r){let o=r.find(({number:i})=>i===t-1)?.failure?.code,s=Math.max(n?.retryPolicy?.maxAttempts??1,t);return[`attempt ${t} of ${s}`,`started ${Q(e)}`,o&&`after ${y(o,64)}`].filter(Boolean).join(", ")}var _m={4:3,6:6};function dc(t,e,n){let r=v(e.startTime);if(e.attempt===0||r===void 0)return;let o=t.at(-1);if((!o||o.number<e.attempt)&&(o={number:e.attempt,queued:n,start:r,workerId:e.workerId,outcome:"",stages:new Map},t.push(o)),o.outcome)return;for(let i of e.stages){let a=v(i.startTime);if(a===void 0)continue;let l={start:a,state:i.state},c=v(i.endTime);c!==void 0&&(l.end=c),o.stages.set(i.stageId,l)}let s=v(e.endTime);A(e)&&s!==void 0?(o.end=s,o.outcome=C(e.state).word,e.failure&&(o.failure=e.failure)):e.state===1&&(o.outcome=e.failure?.code==="RELEASED"?"released":"failed",e.failure&&(o.failure=e.failure))}function uc(t,e,n,r){t.end=e,t.outcome=n;for(let o of t.stages.values())o.end===void 0&&fc(o,e,r)}function fc(t,e,n){t&&(t.end=e,t.state=n)}var qe=class{constructor(e){this.work=e}#e=!1;request(){this.#e||(this.#e=!0,requestAnimationFrame(()=>{this.#e=!1,this.work()}))}};var $m=4e3,hc=1e4,wt=class{#e=[];#t=[];#n;constructor(e){this.#n=new qe(()=>{let n=this.#e.splice(0,$m);if(this.#e.length>0&&this.request(),this.#e.length<hc)for(let r of this.#t.splice(0))r();e(n)})}get isEmpty(){return this.#e.length===0}request(){this.#n.request()}async add(e){for(let n of e)this.#e.push(n);this.request(),!(this.#e.length<hc)&&await new Promise(n=>{this.#t.push(n)})}};var gc=["logWritten","jobStarted"];function bc(t){let e=Number(t.sequence),n=v(t.time)??0;if(t.payload.case==="jobStarted"&&t.attempt>1)return{sequence:e,time:n,stageId:"",severity:2,text:"",startsAttempt:t.attempt};if(t.payload.case!=="logWritten")return;let{stageId:r,severity:o,text:s}=t.payload.value;return{sequence:e,time:n,stageId:r,severity:o===0?2:o,text:s.replace(/\r?\n$/,"")}}var Mm=12e5,Gm=256*1024*1024,Jr=class{constructor(e=Mm,n=Gm){this.maxLines=e;this.maxCharacters=n}lines=[];generation=gt();prepended=0;dropped=0;boundaries=0;hasStages=!1;#e=0;get hasRoom(){return this.lines.length<this.maxLines&&this.#e<this.maxCharacters}append(e){let n=this.lines.at(-1)?.sequence??-1;for(let r of e)r.sequence<=n||(this.lines.push(r),this.#t(r));(this.lines.length>this.maxLines||this.#e>this.maxCharacters)&&this.#n()}prepend(e){let n=this.lines[0]?.sequence??1/0,r=e.filter(i=>i.sequence<n),o=this.hasRoom?this.maxLines-this.lines.length:0,s=r.slice(Math.max(r.length-o,0));for(let i of s)this.#t(i);this.lines=s.concat(this.lines),this.prepended+=s.length}clear(){this.lines=[],this.generation=gt(),this.prepended=this.dropped=this.boundaries=this.#e=0,this.hasStages=!1}#t(e){this.#e+=e.text.length,this.hasStages||=e.stageId!=="",e.startsAttempt&&(this.boundaries+=1)}#n(){let e=Math.floor(this.maxLines*.95),n=this.maxCharacters*.95,r=0;for(;this.lines.length-r>e||this.#e>n;)this.#e-=this.lines[r]?.text.length??0,r+=1;this.boundaries-=ht(this.lines.splice(0,r)),this.dropped+=r}};var yc=2e3,Jm=1e5,vc=1e4,Ur=class{constructor(e,n){this.client=e;this.jobId=n}lines=new Jr;isLoaded=!1;isLoading=!1;error="";#e=0;#t=1;#n=yc;#r=new AbortController;get hasOlder(){return!this.isLoaded||this.#e>=this.#t&&this.lines.hasRoom}get isBlank(){return ue(this.lines)===0&&this.hasOlder&&!this.error}restart(e,n){this.#r.abort(),this.#r=new AbortController,this.lines.clear(),this.#e=e,this.#t=Math.max(n,1),this.#n=yc,this.isLoaded=this.isLoading=!1,this.error=""}add(e){this.lines.append(Ec(e))}async loadOlder(){if(this.isLoading||!this.hasOlder)return;let{signal:e}=this.#r;this.isLoading=!0,this.error="";try{let n=Math.max(this.#e-this.#n,this.#t-1),r=await this.#o(n,this.#e,e);if(e.aborted)return;this.lines.prepend(r),this.#e=n,this.isLoaded=!0,r.length<vc/2?this.#n=Math.min(this.#n*4,Jm):r.length>vc*2&&(this.#n/=4)}catch(n){e.aborted||(this.error=n instanceof Error?n.message:String(n))}finally{e.aborted||(this.isLoading=!1)}}async#o(e,n,r){let o=[];if(e>=n)return o;let s=this.client.watchJob(this.jobId,{after:BigInt(e),payloads:gc,follow:!1,onGap:"throw",pauseWhenHidden:!0,signal:r});for await(let i of s.batches()){let a=i.flatMap(l=>l.type==="event"?[l.event]:[]);if(o.push(...Ec(a).filter(l=>l.sequence<=n)),Number(s.sequence)>=n)break}return o}};function Ec(t){return t.map(bc).filter(e=>e!==void 0)}var wc=2e4,Um=4,Sc=500,Om=5e3,Dm=3e4,Bm=new Set(Bs),Or=class{constructor(e,n){this.server=e;this.jobId=n;this.log=new Ur(e.client,n)}log;connection={state:"connecting",error:""};children=[];hasMoreChildren=!1;usual;#e;#t;#n;#r=[];#o=!1;#i;#s;#a;#l;#u={};#p=!1;#d=-1/0;#m=new pe;#c=new wt(e=>{this.#v(e)});get job(){let e=this.#e?.job,n=this.#s?.estimate;return!e||n===e.estimate?e:((this.#t?.of!==e||this.#t.job.estimate!==n)&&(this.#t={of:e,job:{...e,estimate:n}}),this.#t.job)}get now(){return this.connection.staleSince??this.server.clock.now()}get epoch(){return this.#s?.epoch??""}get waiting(){let e=this.#s?.waiting,{job:n}=this;if(n?.state!==1)return;let{waiting:r,after:o,attempt:s}=this.#u;return o===e&&s===n.attempt?r:e}get isCaughtUp(){return(this.#s?.caughtUp??!1)&&this.#c.isEmpty}get isEnded(){return this.job!==void 0&&A(this.job)}get isMoving(){return!this.isEnded}get isShown(){return this.#m.count>0}get attempts(){return this.job&&(this.#i??=pc(this.job,this.#r,this.#n)),this.#i??[]}subscribe(e){let n=this.#m.add(e);return this.#l??=me.add(()=>void this.#w()),this.server.whoAmI().then(()=>{this.#c.request()}),!this.#a&&!this.isEnded&&(this.#a=new AbortController,this.#y(this.#a.signal)),()=>{n(),!(this.#m.count>0)&&(this.#a?.abort(),this.#a=void 0,this.#l?.(),this.#l=void 0)}}get mayCancel(){return this.server.may("cancel")}async loadOlderLines(){let e=this.log.loadOlder();this.#c.request(),await e,this.#c.request()}async cancel(e,n){await this.server.client.cancelJob(this.jobId,{reason:e,gracePeriodMs:n*1e3})}async#y(e){this.connection={state:"connecting",error:""};let n=this.server.client.watchJob(this.jobId,{start:"snapshot",latestProgress:!0,pauseWhenHidden:!0,connectTimeoutMs:1/0,signal:e,onConnection:r=>{e.aborted||(this.server.clock.set(n.clockOffsetMs),this.connection=mt(r,n.clockOffsetMs),this.#c.request())}});this.#s=n;try{for await(let r of n.batches())await this.#c.add(r)}catch(r){if(e.aborted)return;this.connection=ft(r,this.server.clock.now()),this.#c.request()}}#v(e){let n=[];for(let r of e)r.type==="snapshot"?(n.length=0,this.#E(r.job)):r.type==="event"&&n.push(r.event);for(let r of n)this.#e?.apply(r),Bm.has(r.payload.case)&&this.#r.length<wc&&this.#r.push(r);e.length>0&&(this.#i=void 0),this.log.add(n),this.#m.notify()}#E(e){this.#e=new ee(e),this.#n=e,this.#r=[],this.#o=!1,this.log.restart(Number(e.lastSequence),Number(e.firstSequence)),this.#h(e)}async#h(e){await this.loadOlderLines();for(let n=1;n<Um&&this.log.isBlank&&this.#n===e;n++)await this.loadOlderLines();(e.attempt>1||e.attempt===1&&e.state===1)&&await this.#g(e.lastSequence),this.#o=!0,this.#d=-1/0,await this.#w(),await this.#f(e)}async#f({kind:e,owner:n}){await z();try{this.usual??=await this.server.client.getHistory(e,{owner:n}),this.#c.request()}catch{}}async#g(e){let n=[],r=this.server.client.watchJob(this.jobId,{payloads:Bs,follow:!1,pauseWhenHidden:!0});try{for await(let o of r)if(o.type==="event"&&o.event.sequence<=e&&n.push(o.event),r.sequence>=e||n.length>=wc)break}catch{return}this.#r=[...n,...this.#r.filter(o=>o.sequence>e)],this.#i=void 0,this.#c.request()}async#w(){let{job:e}=this;if(!e||!this.#o||this.#p)return;let n=e.state===1||this.children.length>0||e.plannedChildren>0,r=A(e)?1/0:n?Om:Dm;if(!(performance.now()-this.#d<r)){this.#p=!0,await z();try{if(e.state===1){let s=this.#s?.waiting,i=await this.server.client.getWaiting(this.jobId);this.#u={waiting:i,after:s,attempt:e.attempt}}await z();let o=this.server.client.listJobs({parentJobId:this.jobId},{pageSize:Sc});({jobs:this.children,more:this.hasMoreChildren}=await Fm(o,Sc))}catch{}this.#p=!1,this.#d=performance.now(),this.#c.request()}}};async function Fm(t,e){let n=[];for await(let r of t){if(n.length>=e)return{jobs:n,more:!0};n.push(r),await z()}return{jobs:n,more:!1}}var Fs={states:[],kind:"",owner:"",labels:[],search:""},Vs=[["queued",1],["running",2],["cancelling",3],["succeeded",4],["failed",5],["cancelled",6],["lost",7]],xc=Vs;function Ic(t){let e=new URLSearchParams(t),n=(e.get("state")??"").split(",");return{states:Vs.filter(([r])=>n.includes(r)).map(([,r])=>r),kind:e.get("kind")??"",owner:e.get("owner")??"",labels:e.getAll("label").filter(Boolean),search:e.get("q")??""}}function Dr(t){let e=new URLSearchParams,n=Vs.filter(([,o])=>t.states.includes(o)).map(([o])=>o);n.length>0&&e.set("state",n.join(",")),t.kind&&e.set("kind",t.kind),t.owner&&e.set("owner",t.owner);for(let o of t.labels)e.append("label",o);t.search&&e.set("q",t.search);let r=e.toString();return r&&`?${r}`}function Ac(t){let e=t.map(n=>n.split("=")).filter(n=>n.length>1);return Object.fromEntries(e.map(([n="",...r])=>[n,r.join("=")]))}function Nc(t,e){let{states:n,kind:r,owner:o,labels:s,search:i}=e;if(n.length>0&&!n.includes(t.state)||r&&t.kind!==r||o&&t.owner!==o)return!1;for(let c of s){let[u="",...m]=c.split("=");if(m.length>0?t.labels[u]!==m.join("="):!(u in t.labels))return!1}if(!i)return!0;let a=i.toLowerCase();return[t.jobId,t.kind,t.owner,...Object.entries(t.labels).map(c=>c.join("="))].some(c=>c.toLowerCase().includes(a))}function Rc(t,e,n){let r=new Date(n).setHours(0,0,0,0),o=new Map([["running",[]],["waiting",[]],["ended today",[]],["ended before",[]]]);for(let i of t)Nc(i,e)&&o.get(Wm(i,r))?.push(i);let s=[];for(let[i,a]of o){if(a.length===0)continue;let l=new Map(a.map(c=>[c,Pm(c)]));a.sort((c,u)=>(l.get(u)??0)-(l.get(c)??0)||(c.jobId<u.jobId?1:-1)),s.push({type:"group",key:i,count:a.length}),Vm(s,a)}return s}function Vm(t,e){let n=new Set(e.map(i=>i.jobId)),r=new Map,s=e.filter(i=>{if(!i.parentJobId||!n.has(i.parentJobId))return!0;let a=r.get(i.parentJobId);return a?a.push(i):r.set(i.parentJobId,[i]),!1}).reverse().map(i=>({job:i,depth:0}));for(let i=s.pop();i;i=s.pop()){let{job:a,depth:l}=i;t.push({type:"job",key:a.jobId,depth:l});for(let c of(r.get(a.jobId)??[]).reverse())s.push({job:c,depth:l+1})}}function kc(t,e){let n=new Map,r={...e,states:[]};for(let o of t)Nc(o,r)&&n.set(o.state,(n.get(o.state)??0)+1);return n}function Tc(t,e){let n=new Map;for(let r of t){let o=v(r.endTime);if(o===void 0||!A(r))continue;let s=v(r.startTime)??o,i=[o,{state:r.state,seconds:(o-s)/1e3}],a=n.get(r.kind);a?a.push(i):n.set(r.kind,[i])}return new Map([...n].map(([r,o])=>[r,o.sort(([s],[i])=>s-i).slice(-e).map(([,s])=>s)]))}function Cc(t){let e=!1;for(let{dispatch:n}of t){if(n!==2)return!0;e=!0}return!e}function Wm(t,e){return ke(t)?"running":A(t)?(v(t.endTime)??0)>=e?"ended today":"ended before":"waiting"}function Pm(t){return v(A(t)?t.endTime:t.submitTime)??0}var Lc=500,Ym=2e4,_c=2e4,Zm=100,$c=5e3,Km=500,Xm=[2,3],jm=[4,5,6,7],Br=class{constructor(e,n){this.server=e;this.filter=n}connection={state:"connecting",error:""};version=0;isLoading=!0;error="";#e;#t=new Map;#n=new Map;#r=new pe;#o=new wt(e=>{this.#S(e)});#i=[];#s;#a=new Set;#l=new Map;#u=-1/0;#p=-1/0;#d=new Set;#m=!1;covers({kind:e,owner:n,labels:r}){return e===this.filter.kind&&n===this.filter.owner&&r.join()===this.filter.labels.join()}get now(){return this.connection.staleSince??this.server.clock.now()}*all(){for(let e of this.#t.values())yield e.job;yield*this.#n.values()}get(e){let n=this.#t.get(e)?.job;if(!n)return this.#n.get(e);let r=this.#e?.estimateOf(n);return r===n.estimate?n:{...n,estimate:r}}waitingOf(e){return this.#l.get(e)}async lookUpWaiting(e){let n=e.slice(0,Zm),r=n.some(i=>!this.#l.has(i));if(n.length===0||performance.now()<(r?this.#p:this.#u))return;this.#p=1/0,this.#u=1/0;let o=!1;try{await z();let i=await this.server.client.getWaitingOf(n);this.#l=new Map(n.map(a=>[a,i.get(a)])),o=!0}catch{}let s=performance.now();this.#u=s+$c,this.#p=s+(o?Km:$c),this.#o.request()}isComplete(e){return!this.#m&&this.#i.some(n=>n.complete&&n.states.includes(e))}isGroupComplete(e){let n={running:2,waiting:1,"ended today":4,"ended before":4};return this.isComplete(n[e])}async exists(e){try{return(await this.server.client.getJob(e)).jobId===e}catch{return!1}}subscribe(e){let n=this.#r.add(e);return this.#s||(this.#s=new AbortController,this.#y(this.#s.signal)),()=>{n(),!(this.#r.count>0)&&(this.#s?.abort(),this.#s=void 0)}}loadMore(){!this.isLoading&&this.#n.size<_c&&this.#f()}get#c(){let{kind:e,owner:n,labels:r}=this.filter;return{kinds:e?[e]:[],owner:n,labels:Ac(r)}}async#y(e){this.#i=[],this.#d.clear(),this.connection={state:"connecting",error:""};let n=this.server.client.watchJobs(this.#c,{start:"latest",latestProgress:!0,payloads:Ps,pauseWhenHidden:!0,connectTimeoutMs:1/0,statusIntervalMs:Ws,signal:e,onConnection:r=>{e.aborted||(this.server.clock.set(n.clockOffsetMs),this.connection=mt(r,n.clockOffsetMs),n.caughtUp&&this.#i.length===0&&this.#v(e),this.#o.request())}});this.#e=n;try{for await(let r of n.batches())await this.#o.add(r)}catch(r){if(e.aborted)return;this.connection=ft(r,this.server.clock.now()),this.#o.request()}}async#v(e){this.#i=[Xm,[1],jm].map(r=>({states:r,jobs:this.#h(r),complete:!1}));let n=this.#i.slice(0,2);do await this.#f();while(!e.aborted&&!this.error&&!this.#m&&n.some(({complete:r})=>!r));!e.aborted&&!this.error&&await this.#f(),!e.aborted&&!this.error&&!this.#m&&this.#E()}#E(){for(let e of[this.#t,this.#n])for(let n of e.keys())this.#d.has(n)||e.delete(n);this.version+=1,this.#o.request()}#h(e){return this.server.client.listJobs({...this.#c,states:[...e]},{pageSize:Lc})}async#f(){let e=this.#i.find(({complete:n})=>!n);if(e){this.isLoading=!0,this.error="";try{for(let n=0;n<Lc;n++){await z();let r=await e.jobs.next();if(r.done){e.complete=!0;break}this.#g(r.value)}}catch(n){this.error=n instanceof Error?n.message:String(n),e.jobs=this.#h(e.states)}this.isLoading=!1,this.version+=1,this.#o.request()}}#g(e){this.#d.add(e.jobId);let n=this.get(e.jobId);n&&n.lastSequence>=e.lastSequence||(this.#t.delete(e.jobId),this.#n.delete(e.jobId),A(e)?this.#b(e):this.#w(e.jobId,new ee(e)))}#w(e,n){this.#t.size<Ym?this.#t.set(e,n):this.#m=!0}#b(e){if(this.#n.set(e.jobId,Hm(e)),this.#n.size<=_c)return;let[n]=this.#n.keys();n!==void 0&&this.#n.delete(n)}#S(e){for(let n of e)n.type==="snapshot"?(this.#g(n.job),this.version+=1):n.type==="deleted"?(this.#t.delete(n.jobId),this.#n.delete(n.jobId),this.version+=1):n.type==="gap"?(this.#t.clear(),this.#n.clear(),this.version+=1):n.type==="event"&&this.#x(n.event.jobId,n);this.#r.notify()}#x(e,{event:n}){if(this.#d.add(e),n.payload.case==="jobSubmitted"&&!this.get(e)){let i=new ee;i.apply(n),this.#w(e,i),this.version+=1;return}let r=this.#t.get(e);if(!r){this.#n.has(e)||this.#I(e);return}let{state:o}=r.job;r.apply(n);let{job:s}=r;s.state!==o&&(this.version+=1),A(s)&&(this.#t.delete(e),this.#b(s))}async#I(e){if(!this.#a.has(e)){this.#a.add(e),await z();try{this.#g(await this.server.client.getJob(e)),this.version+=1,this.#o.request()}catch{}finally{this.#a.delete(e)}}}},Ws=5e3,Ps=["jobSubmitted","jobStarted","stagesPlanned","stageStarted","stageProgressed","stageEnded","cancelRequested","cancelAcknowledged","attemptEnded","jobEnded","childrenProgressed"];function Hm(t){let e={...t,stages:[],artifacts:[]};return delete e.input,delete e.result,e}function Fr(t,e){if(t.size<=e)return;let n=[...t].filter(([,r])=>!r.isShown);for(let[r]of n.slice(0,Math.max(n.length-e,0)))t.delete(r)}var Mc=100,Qm=1e3,Vr=class{constructor(e){this.server=e}#e=new Map;#t=new qe(()=>{this.#o()});#n=new AbortController;#r="";job(e){let n=this.#e.get(e);return n||(Fr(this.#e,Qm),n=new Ys(this.server,e,this.#t),this.#e.set(e,n)),n}#o(){let n=[...this.#e.values()].filter(r=>r.isWanted).map(({jobId:r})=>r).sort();if(n.join(" ")!==this.#r){this.#r=n.join(" "),this.#n.abort(),this.#n=new AbortController;for(let r=0;r<n.length;r+=Mc)this.#i(n.slice(r,r+Mc),this.#n.signal)}}async#i(e,n){let r=e.flatMap(s=>this.#e.get(s)??[]),o=this.server.client.watchJobs({jobIds:e},{start:"snapshot",latestProgress:!0,payloads:Ps,pauseWhenHidden:!0,connectTimeoutMs:1/0,statusIntervalMs:Ws,signal:n,onConnection:s=>{if(n.aborted)return;this.server.clock.set(o.clockOffsetMs);let i=mt(s,o.clockOffsetMs);for(let a of r)a.connected(i,o.caughtUp)}});try{for(let s of r)s.watch=o;for await(let s of o.batches()){for(let i of s)this.#s(i);if(s.length===0)for(let i of r)i.changed()}}catch(s){if(!n.aborted)for(let i of r)i.connected(ft(s,this.server.clock.now()),!1)}}#s(e){e.type==="snapshot"?this.#e.get(e.job.jobId)?.accept(e):e.type==="event"?this.#e.get(e.event.jobId)?.accept(e):e.type==="deleted"&&this.#e.get(e.jobId)?.accept(e)}},Ys=class{constructor(e,n,r){this.server=e;this.jobId=n;this.regroup=r}connection={state:"connecting",error:""};watch;#e;#t=new pe;#n=new qe(()=>{this.#t.notify()});get job(){let e=this.#e?.job;return e&&{...e,estimate:this.watch?.estimateOf(e)}}get now(){return this.connection.staleSince??this.server.clock.now()}get isMoving(){return!this.job||!A(this.job)}get isShown(){return this.#t.count>0}get isWanted(){return this.isShown&&this.isMoving}subscribe(e){let n=this.#t.add(e);return this.regroup.request(),()=>{n(),this.regroup.request()}}accept(e){e.type==="snapshot"?this.#e=new ee(e.job):e.type==="event"?this.#e?.apply(e.event):e.type==="deleted"&&(this.connection={state:"missing",error:""}),this.isMoving||(this.connection={state:"ended",error:""}),this.#n.request()}changed(){this.#n.request()}connected(e,n){this.isMoving&&(this.connection=n&&!this.job?{state:"missing",error:""}:e,this.#n.request())}};var Wr=class{#e=0;set(e){this.#e=e??this.#e}now(){return Date.now()+this.#e}};var Pr=class{constructor(e,n,r=""){this.address=e;this.client=n;this.#e=r}clock=new Wr;#e;#t;#n;get isShared(){return this.#e!==""}whoAmI(){return this.#t??=z().then(()=>this.client.whoAmI()).then(e=>void(this.#n=e),()=>void(this.#n="unknown")),this.#t}get user(){let e=this.#n;return e===void 0||e==="unknown"||this.isShared?"":e.credentialId&&e.subject}may(e){let n=this.#n;if(n===void 0||n==="unknown")return n==="unknown"&&e!=="see workers";let r=n.scopes.includes("admin");return e==="share"?n.jobId==="":e==="see workers"?r&&n.allOwners&&n.jobId==="":n.scopes.includes(e)||r}jobAddress(e){let n=this.#e&&`#token=${this.#e}`;return`${this.address}jobs/${encodeURIComponent(e)}${n}`}};var zm=8,Zs=class extends Pr{#e=new Map;#t;#n;job(e){let n=this.#e.get(e);return n||(Fr(this.#e,zm),n=new Or(this,e),this.#e.set(e,n)),n}progressOf(e){return this.#t??=new Vr(this),this.#e.get(e)??this.#t.job(e)}jobs(e){return this.#n?.covers(e)||(this.#n=new Br(this,e)),this.#n}},Gc=new Map,Jc=new URL(import.meta.url),Ks=Jc.pathname.endsWith("/assets/elements.js")?new URL("..",Jc).href:"/",Yr,Xs="";function Ge(t=""){let e=new URL(t||Ks,document.baseURI).href.replace(/\/?$/,"/"),n=Gc.get(e);if(!n){let r=Yr===void 0?{}:{token:Yr};n=new Zs(e,cc({baseUrl:e.slice(0,-1),...r}),Xs),Gc.set(e,n)}return n}function qm(t){Ks=t.server??Ks,Xs=t.sharedToken??Xs,Yr=t.token??t.sharedToken??Yr}var Zr=class{constructor(e){this.element=e}#e;tell(e){let n=this.#e?.jobId===e.jobId?this.#e:void 0;e!==n&&(this.#e=e,this.#t("milepost-change",e),A(e)&&!(n&&A(n))&&this.#t("milepost-end",e))}#t(e,n){this.element.dispatchEvent(new CustomEvent(e,{detail:{job:n},bubbles:!0,composed:!0}))}};var St=class extends fe{static properties={jobId:{attribute:"job-id"},server:{}};#e=new Zr(this);constructor(){super(),this.jobId=this.server=""}willUpdate(e){(e.has("jobId")||e.has("server"))&&(this.jobId?this.store=this.storeOf(Ge(this.server),this.jobId):e.get("jobId")&&(this.store=void 0)),super.willUpdate(e)}changed(){super.changed(),this.store?.job&&this.#e.tell(this.store.job)}};function Uc(t,e){let n=t.cancellation;if(!n)return[];let r=v(n.requestTime),o=v(n.acknowledgeTime),s=v(n.deadline),i=A(t)?v(t.endTime):void 0,a=n.requestedBy?` by ${y(n.requestedBy,64)}`:"",l=[{name:"requested",at:r,text:`requested${Kr(r)}${a}`}];if(o!==void 0?l.push({name:"acknowledged",at:o,text:`acknowledged${Kr(o)}`}):i===void 0&&l.push({name:"acknowledged",at:void 0,text:"not yet acknowledged by the worker"}),i!==void 0)l.push(ef(t,r,i));else{let c=s===void 0?"":`, by force in ${T(Math.max(s-e,0)/1e3)}`;l.push({name:"stopped",at:void 0,text:`stopping${c}`})}return l}function ef(t,e,n){if(t.state!==6)return{name:"completed first",at:n,text:`ended by itself first${Kr(n)}`};if(t.cancellation?.forced){let r=e===void 0?"":` after ${T((n-e)/1e3+.5)}`;return{name:"forced",at:n,text:`forced${r}: the worker did not stop in time`}}return{name:"stopped",at:n,text:`stopped${Kr(n)}`}}function Kr(t){return t===void 0?"":` ${Q(t)}`}function an(t,e=Date.now()){let{estimate:n}=t;if(n===void 0||t.state!==2)return;let{remainingP50:r,remainingP90:o,asOf:s,overdue:i}=n;if(s&&t.startTime&&ut(s)<ut(t.startTime))return;if(i)return{medianMs:void 0,mostMs:void 0,overdue:i,estimate:n};if(r===void 0)return;let a=s===void 0?0:Math.max(e-ut(s),0),l=c=>Math.max(c-a,0);return{medianMs:l(Ke(r)),mostMs:o&&l(Ke(o)),overdue:i,estimate:n}}function js(t,e){let n=an(t,e);return n===void 0?"":n.medianMs===void 0?"overdue":n.medianMs>=1e3?`about ${T(n.medianMs/1e3)} left`:(n.mostMs??0)>=1e3?"ending any moment":"longer than expected"}function Xr(t,e){let n=js(t,e);return n==="longer than expected"?"":n}function Oc(t,e){let n=an(t,e);if(n===void 0)return"";let{estimate:r,mostMs:o,overdue:s}=n;return s?`over three times the longest of ${O(r.sampleSize,"run")}`:[...Vc(o),...Wc(r)].join(" \xB7 ")}function Dc(t){let e=t?.run?.remainingP50;if(!e)return"";let n=Xe(e);return n<1?"takes less than a second":`takes about ${T(n)}`}function Bc(t){let e=t?.run;return e?[...Vc(e.remainingP90&&Ke(e.remainingP90)),...Wc(e)].join(" \xB7 "):""}function Fc({startP50:t,run:e},n){if(!t)return"";let r=Xe(t)-Math.max(n-(v(e?.asOf)??n),0)/1e3;return r>=1?`likely to start in ${T(r)}`:"likely to start any moment"}function Vc(t){return t!==void 0&&t>=1e3?[`at most ${T(t/1e3)}`]:[]}function Wc({basis:t,sampleSize:e}){if(t===3)return["from its pace so far"];if(!e)return[];let n=`from ${O(e,"run")}`;return[t===2?`${n}, scaled to its workload`:n]}var Hs=8;function tf(t){return`
${t}`}function Pc(t,e){let n=new Set(t.map(l=>l.stageId)),r=new Map;for(let l of t){let c=n.has(l.parentStageId)?l.parentStageId:"",u=r.get(c);u?u.push(l):r.set(c,[l])}let o=[],s=new Set,i=[],a=(l,c)=>{let u=r.get(l)??[],m=tf(l),b=u.length>Hs,p=!b||(e.get(m)??!1),g=p?u:rf(u);if(b){let E=p?[]:of(u,g);i.push({type:"rest",key:m,parentId:l,depth:c,hidden:E,open:p})}for(let E of[...g].reverse()){let x=r.get(E.stageId)??[];i.push({type:"stage",key:E.stageId,stage:E,depth:c,inner:x.length,innerDone:x.filter(({state:$})=>$===3).length,open:x.length?e.get(E.stageId)??nf(E):void 0})}};a("",0);for(let l=i.pop();l;l=i.pop())o.push(l),l.type==="stage"&&l.open&&!s.has(l.key)&&(s.add(l.key),a(l.key,l.depth+1));return o}function Yc(t){let e=[4,2,1,3,5,6],n=new Map;for(let r of t)n.set(r.state,(n.get(r.state)??0)+1);return e.flatMap(r=>{let o=n.get(r);return o===void 0?[]:[[r,o]]})}function Zc(t){let e=t.filter(r=>r.state===2),n=new Set(e.map(r=>r.parentStageId));return e.filter(r=>!n.has(r.stageId)).at(-1)}function Kc(t){return t.state===3||t.state===5}function nf(t){return t.state===2||t.state===4}function rf(t){let e=t.filter(o=>o.state===4).slice(0,Hs),n=t.filter(o=>o.state===2).slice(0,Math.max(Hs-e.length,0)),r=new Set([...e,...n]);return t.filter(o=>r.has(o))}function of(t,e){let n=new Set(e);return t.filter(r=>!n.has(r))}var Xc=3,sf=1.5,af=1;function jc(t,e){let{runs:n=0,durationP50:r,durationP90:o}=e??{};if(t.state!==4||n<Xc||!r)return"";let s=o?`, at most ${K(Xe(o))} in nine of ten`:"";return`usually ${K(Xe(r))}${s} \xB7 ${O(n,"run")}`}function Hc(t){let{runs:e=0,stages:n=[]}=t??{};return e<Xc?new Map:new Map(n.flatMap(({stageId:r,durationP50:o})=>o?[[r,Xe(o)]]:[]))}function Qc(t,e,n){let r=v(t.startTime);if(r===void 0)return!1;let o=((v(t.endTime)??n)-r)/1e3;return o>e*sf&&o>e+af}function zc(t,e,n){let r=y(t.kind,64),o=v(t.retryTime);if(o!==void 0&&o>n)return`next attempt in ${T((o-n)/1e3+.999)}`;let s=(e?.nearestKinds??[]).map(a=>y(a,64)).join(", "),i=s?`; nearest: ${s}`:"";if(!e)return"waiting in the queue";switch(e.waitingFor){case 4:return t.plannedChildren>0?"waits for its children":"waits to be claimed by the engine that runs it";case 2:return`no worker takes ${r}${i}`;case 3:return`no worker takes ${r} yet${i}; the server has just started, and workers may be reconnecting`;case 5:return td(t);default:{let a=e.workers===1?"takes":"take",l=Fc(e,n),c=`${O(e.workers,"worker")} ${a} ${r}`;return[lf(e),l,c].filter(Boolean).join(" \xB7 ")}}}function qc(t){return t?.waitingFor===2?"It starts once a worker with a handler for this kind connects.":""}function ed(t,e,n){let r=v(t.retryTime);if(r!==void 0&&r>n)return`next attempt in ${T((r-n)/1e3+.999)}`;if(!e)return"";switch(e.waitingFor){case 4:return t.plannedChildren>0?"waits for its children":"waits to be claimed";case 2:case 3:{let o=e.nearestKinds.map(i=>y(i,64)).join(", "),s=e.waitingFor===3?" yet":"";return`no worker takes ${y(t.kind,64)}${s}${o&&`; near: ${o}`}`}case 5:return td(t);default:return e.jobsAhead>0?`${O(e.jobsAhead,"job")} before it`:"next in the queue"}}function td({concurrencyKey:t,concurrencyLimit:e}){let n=e>1?O(e,"job"):"another job";return`concurrency key ${y(t,64)} is taken by ${n}`}function lf({jobsAhead:t,jobsWaiting:e}){return e>t?`${ks(t+1)} of ${e}`:e>0?`${ks(t+1)} in the queue`:"waits for its turn"}function ln(t){return t?.waitingFor===2||t?.waitingFor===3}var nd={ATTRIBUTE:1,CHILD:2,PROPERTY:3,BOOLEAN_ATTRIBUTE:4,EVENT:5,ELEMENT:6},xt=t=>(...e)=>({_$litDirective$:t,values:e}),Je=class{constructor(e){}get _$AU(){return this._$AM._$AU}_$AT(e,n,r){this._$Ct=e,this._$AM=n,this._$Ci=r}_$AS(e,n){return this.update(e,n)}update(e,n){return this.render(...n)}};var Qs=class extends Je{#e={};render(e){return Object.entries(e).map(([n,r])=>`${n}:${r??""}`).join(";")}update(e,[n]){let{style:r}=e.element;for(let o of Object.keys(this.#e))o in n||r.removeProperty(o);for(let[o,s]of Object.entries(n))s!==this.#e[o]&&(s===void 0?r.removeProperty(o):r.setProperty(o,s));return this.#e=n,X}},B=xt(Qs);var cf="WORKER_LOST";function df(t){return t.split(/(?<=[._/:-])/).map(e=>f`${e}<wbr />`)}function rd(t,e,n){let{word:r,shape:o}=C(e.state),s=Math.max(e.retryPolicy?.maxAttempts??1,1),i=e.attempt+(e.state===1?1:0),a=i>1||s>1?` \xB7 attempt ${Math.max(i,1)} of ${Math.max(s,i)}`:"";return f`<header part="header">
    <h1 class="foreign" part="kind">
      <span class=${o}>${D(o)}</span> ${df(y(e.kind,64))}
    </h1>
    <div class="status"><span class="state ${o}" part="state">${r}${a}</span>${n}</div>
    <p class="facts muted">
      <span class="mono foreign" title=${e.jobId}>${je(e.jobId,24)}</span
      ><milepost-copy .text=${e.jobId} .label=${"copy the job's id"}></milepost-copy>
      ${e.owner?f`<span title=${e.owner}>owner <span class="foreign value">${y(e.owner,128)}</span></span>`:h}
      ${Object.entries(e.labels).map(([l,c])=>f`<span class="label foreign" title=${`label ${l}=${c}`}>${y(l)}=${y(c)}</span>`)}
      ${e.parentJobId?f`<span>part of <a class="mono" href=${t.server.jobAddress(e.parentJobId)}>${je(e.parentJobId)}</a></span>`:h}
      ${e.workerId&&ke(e)?f`<span>worker <span class="mono foreign value">${y(e.workerId,64)}</span></span>`:h}
    </p>
  </header>`}function od(t,{waiting:e,usual:n},r,o,s){let{shape:i}=C(t.state),a=ie(t),l=It(t),c=s?"":js(t,o)||Dc(e);return f`<section class="progress" part="progress">
    ${l||c||t.state===2?f`<div class="numbers">
            <span class="percent">${l}</span><span class="left" part="remaining">${c}</span>
          </div>`:h}
    ${cn(t,r,a,i)}
    <div class="numbers muted">
      <span part="elapsed" title=${pf(t)}>${uf(t,o)}</span>
      <span part="evidence"
        >${s?h:Oc(t,o)||Bc(e)||jc(t,n)}</span
      >
    </div>
  </section>`}function cn(t,e,n,r){let o=!n&&ke(t);return f`<div
    class="bar ${r} ${o?"unknown moving":""}"
    part="bar"
    role="progressbar"
    aria-label=${`progress of ${y(t.kind,64)}`}
    aria-valuemin="0"
    aria-valuemax="100"
    aria-valuenow=${n?Re(t.fraction):h}
    aria-valuetext=${[It(t),C(t.state).word].filter(Boolean).join(", ")}
    ${B({"--fraction":`${e.fraction}`,"--seconds":`${e.seconds}s`})}
  >
    <div class="fill" part="fill"></div>
  </div>`}function It(t){if(A(t)&&t.state!==4&&t.fraction>=1)return"";if(ie(t))return t.state===1&&t.attempt>0?`attempt ${t.attempt} ended at ${pt(t.fraction)}`:pt(t.fraction);let e=t.stages.filter(n=>!n.parentStageId&&Kc(n)).length;return e?`${O(e,"stage")} done`:""}function uf(t,e){let n=v(t.submitTime)??e,r=v(t.firstStartTime),o=v(t.endTime),s=((r??o??e)-n)/1e3;if(r===void 0)return`${T(s)} in the queue`;let i=t.attempt>1?` over ${t.attempt} attempts`:"",a=((o??e)-r)/1e3,l=t.attempt>1?"took":"ran",c=o===void 0?`${T(a)} since it started`:`${l} ${K(a)}${i}`;return s<1?c:`${c} \xB7 ${K(s)} in the queue before`}function pf(t){return[["submitted",v(t.submitTime)],["started",v(t.firstStartTime)],["attempt started",t.attempt>1?v(t.startTime):void 0],["ended",v(t.endTime)]].flatMap(([n,r])=>r===void 0?[]:[`${n} ${W(r)}`]).join(`
`)}function mf(t,{code:e,message:n}){return`attempt ${t} ${e===cf?"lost its worker":"failed"}: ${y(n,1e3)||e}`}var ff={4:"good",5:"bad",7:"bad",6:"attention"};function sd(t,e,n){let r=Vl(e),{shape:o}=C(e.state),s=Uc(e,n),i=qc(t.waiting);return f`
    ${e.state===1?f`<p class="notice ${ln(t.waiting)?"attention":""}" part="waiting">
              <span class="waiting">${D("waiting")}</span>
              <span class="foreign"
                >${zc(e,t.waiting,n)}${i?f`<br /><span class="muted">${i}</span>`:h}</span
              >
            </p>
            ${e.dispatch===2?h:f`<milepost-workers server=${t.server.address} .kind=${ln(t.waiting)?"":e.kind}></milepost-workers>`}`:h}
    ${e.state===1&&e.failure?f`<p class="notice bad">
            <span class="failed">${D("failed")}</span>
            <span class="foreign">${mf(e.attempt,e.failure)}</span>
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
    ${r?f`<section class="notice ending ${ff[e.state]??""}" part="ending">
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
  `}function id(t,e){let n=A(t)?void 0:Zc(t.stages);if(!n)return h;let r=v(n.startTime);return f`<p class="current" part="stage">
    <span class="running">${D("running")}</span>
    <span class="cut foreign">${y(n.title||n.stageId)}</span>
    <span class="muted">${n.fractionKnown?pt(n.fraction):""}</span>
    <span class="muted" title=${r===void 0?"":`since ${Q(r)}`}
      >${r===void 0?"":T((e-r)/1e3)}</span
    >
  </p>`}var ad=L`
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
`;var jr=L`
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
`;var ld=640,Hr=class extends St{static properties={log:{},cancel:{type:Boolean},compact:{type:Boolean},tab:{state:!0},narrow:{state:!0},stageId:{state:!0},line:{attribute:!1},said:{state:!0}};static styles=[V,ad,jr];#e=new ne;#t;#n=new ResizeObserver(([e])=>{this.narrow=(e?.contentRect.width??ld)<ld});constructor(){super(),this.stageId=this.said="",this.line=0,this.log="off",this.cancel=this.compact=!1,this.narrow=!1}connectedCallback(){super.connectedCallback(),this.#n.observe(this)}disconnectedCallback(){super.disconnectedCallback(),this.#n.disconnect()}askToCancel(){this.#i&&this.renderRoot.querySelector("milepost-cancel-sheet")?.open()}get stages(){return this.renderRoot.querySelector("milepost-stages-view")}get logView(){return this.renderRoot.querySelector("milepost-log-view")}show(e){this.tab=e}storeOf(e,n){return e.job(n)}forget(){this.tab=void 0,this.stageId=this.said="",this.line=0,this.#e=new ne,this.#t=void 0}changed(){super.changed(),this.store?.job&&this.#c(this.store.job)}render(){let{store:e}=this;if(!e)return h;let{job:n}=e;if(!n)return this.#r(e);let{now:r}=e,o=Bl(e.connection,r),s=!this.narrow&&!this.compact;return f`<article part="job" class=${this.log==="full"?"full":""}>
      ${o?f`<p class="notice attention" part="stale">${o}</p>`:h}
      ${rd(e,n,this.#o(n))}
      ${od(n,e,this.#e.update(n.fraction,n.attempt,r),r,o!=="")}
      ${sd(e,n,r)}
      ${s?f`<section class="stages" @milepost-select=${this.#m}>${this.#s()}</section>`:id(n,r)}
      ${this.log==="tail"?f`<milepost-log-view tail .store=${e}></milepost-log-view>`:h}
      ${this.log==="full"?this.#a(n,s):h}
      <p class="hidden-text" role="status">${this.said}</p>
      <milepost-cancel-sheet .store=${e}></milepost-cancel-sheet>
    </article>`}#r(e){let{connection:n}=e,r=y(e.jobId);return n.state==="missing"?f`<p class="notice bad" role="alert">
        There is no job ${r}, or it is not yours to see.
      </p>`:n.error?f`<p class="notice attention" role="alert">
        ${r} cannot be shown yet: ${y(n.error,1e3)}
      </p>`:f`<p class="muted">loading…</p>`}#o(e){return this.#i?f`<button
      part="cancel"
      @click=${()=>{this.askToCancel()}}
    >
      ${e.state===3?"Cancel sooner\u2026":"Cancel\u2026"}
    </button>`:h}get#i(){let e=this.store?.job;return this.cancel&&e!==void 0&&!A(e)&&(this.store?.mayCancel??!1)}#s(){return f`<milepost-stages-view
      exportparts="stage, track"
      ?narrow=${this.narrow}
      .store=${this.store}
    ></milepost-stages-view>`}#a(e,n){let o=[["log","log",!0],["stages",`stages (${e.stages.length})`,!n&&e.stages.length>0],["artifacts",`artifacts (${e.artifacts.length})`,e.artifacts.length>0],["result","result",e.result!==void 0],["input","input",e.input!==void 0],["attempts",`attempts (${e.attempt})`,e.attempt>0],["children",this.#u(e),e.plannedChildren>0||(this.store?.children.length??0)>0],["raw","raw",!0]].filter(([,,a])=>a),s=this.tab??(this.line>0?"log":this.#l(e)),i=o.some(([a])=>a===s)?s:"log";return f`<section class="details">
      <div role="tablist" aria-label="details" @keydown=${this.#d}>
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
      <div role="tabpanel" id="panel" aria-labelledby="tab-${i}">${this.#p(i,e)}</div>
    </section>`}#l(e){let n=this.store?.log,r=!n?.isLoaded||n.hasOlder||ue(n.lines)>0;return e.plannedChildren>0&&e.stages.length===0?"children":e.attempt===0?Object.keys(e.input??{}).length>0?"input":"log":A(e)&&!r&&e.result?"result":"log"}#u(e){let{children:n,hasMoreChildren:r}=this.store??{};return`children (${Math.max(n?.length??0,e.plannedChildren)}${r?"+":""})`}#p(e,n){let{store:r}=this,o=r?.now??0;switch(e){case"log":return f`<milepost-log-view
          .stageId=${this.stageId}
          .line=${this.line}
          .store=${r}
        ></milepost-log-view>`;case"stages":return this.#s();case"artifacts":return Xl(n.artifacts);case"result":return fr(n.result,"result");case"input":return fr(n.input,"input");case"attempts":return Hl(r?.attempts??[],o);case"children":return Ql(r?.children??[],r?.hasMoreChildren??!1,s=>r?.server.jobAddress(s)??"",o);case"raw":return jl(n)}}#d=e=>{let n={ArrowRight:1,ArrowLeft:-1}[e.key];if(n===void 0)return;let r=[...this.renderRoot.querySelectorAll("[role=tab]")],o=r.findIndex(i=>i.getAttribute("aria-selected")==="true"),s=r[(o+n+r.length)%r.length];s?.click(),s?.focus(),e.preventDefault()};#m=e=>{this.stageId=e.detail.stageId};#c(e){let n=this.#t?Wl(this.#t,e):"";this.#t=Ls(e),n&&(this.said=n)}};var{I:hf}=yi,cd=t=>t;var dd=()=>document.createComment(""),At=(t,e,n)=>{let r=t._$AA.parentNode,o=e===void 0?t._$AB:e._$AA;if(n===void 0){let s=r.insertBefore(dd(),o),i=r.insertBefore(dd(),o);n=new hf(s,i,t,t.options)}else{let s=n._$AB.nextSibling,i=n._$AM,a=i!==t;if(a){let l;n._$AQ?.(t),n._$AM=t,n._$AP!==void 0&&(l=t._$AU)!==i._$AU&&n._$AP(l)}if(s!==o||a){let l=n._$AA;for(;l!==s;){let c=cd(l).nextSibling;cd(r).insertBefore(l,o),l=c}}}return n},Ue=(t,e,n=t)=>(t._$AI(e,n),t),gf={},ud=(t,e=gf)=>t._$AH=e,pd=t=>t._$AH,Qr=t=>{t._$AR(),t._$AA.remove()};var md=(t,e,n)=>{let r=new Map;for(let o=e;o<=n;o++)r.set(t[o],o);return r},Nt=xt(class extends Je{constructor(t){if(super(t),t.type!==nd.CHILD)throw Error("repeat() can only be used in text expressions")}dt(t,e,n){let r;n===void 0?n=e:e!==void 0&&(r=e);let o=[],s=[],i=0;for(let a of t)o[i]=r?r(a,i):i,s[i]=n(a,i),i++;return{values:s,keys:o}}render(t,e,n){return this.dt(t,e,n).values}update(t,[e,n,r]){let o=pd(t),{values:s,keys:i}=this.dt(e,n,r);if(!Array.isArray(o))return this.ut=i,s;let a=this.ut??=[],l=[],c,u,m=0,b=o.length-1,p=0,g=s.length-1;for(;m<=b&&p<=g;)if(o[m]===null)m++;else if(o[b]===null)b--;else if(a[m]===i[p])l[p]=Ue(o[m],s[p]),m++,p++;else if(a[b]===i[g])l[g]=Ue(o[b],s[g]),b--,g--;else if(a[m]===i[g])l[g]=Ue(o[m],s[g]),At(t,l[g+1],o[m]),m++,g--;else if(a[b]===i[p])l[p]=Ue(o[b],s[p]),At(t,o[m],o[b]),b--,p++;else if(c===void 0&&(c=md(i,p,g),u=md(a,m,b)),c.has(a[m]))if(c.has(a[b])){let E=u.get(i[p]),x=E!==void 0?o[E]:null;if(x===null){let $=At(t,o[m]);Ue($,s[p]),l[p]=$}else l[p]=Ue(x,s[p]),At(t,o[m],x),o[E]=null;p++}else Qr(o[b]),b--;else Qr(o[m]),m++;for(;p<=g;){let E=At(t,l[g+1]);Ue(E,s[p]),l[p++]=E}for(;m<=b;){let E=o[m++];E!==null&&Qr(E)}return this.ut=i,ud(t,l),X}});var zs=14,bf=4,yf=10;function fd(t,e){let{selected:n,depth:r,address:o,movement:s,runs:i,waiting:a,now:l,mayOpen:c}=e,u=Ef(t,a,l),m=t.state===1,{word:b,shape:p}=C(t.state),g=v(t.submitTime)??l;return f`<div role="listitem">
    <a
      class="row ${n?"selected":""} ${u?"noted":""} ${m?"waits":""}"
      part="row"
      href=${o}
      @click=${E=>{!E.ctrlKey&&!E.metaKey&&!E.shiftKey&&!c()&&E.preventDefault()}}
    >
      <span class=${p}>${D(p)} <span class="word">${b}</span></span>
      <span class="name" ${B({"--depth":`${Math.min(r,6)}`})}
        >${t.parentJobId?f`<span
                class="child muted"
                role="img"
                aria-label="child"
                title=${`part of ${t.parentJobId}`}
                >↳</span
              >`:h}<span class="kind foreign cut" title=${t.kind}>${y(t.kind,64)}</span
        >${vf(t.jobId)}</span
      >
      <span class="owner foreign cut">${y(t.owner,128)}</span>
      <span class="progress"
        >${ke(t)?f`${cn(t,s,ie(t),p)}
                <span class="number">${It(t)}</span>`:f`<span
                class="note cut foreign ${m&&ln(a)?"attention":"muted"}"
                title=${u}
                >${u}</span
              >`}</span
      >
      <span class="remaining number muted">${wf(t,l)}</span>
      <span class="number muted" title=${`submitted ${W(g)}`}
        >${lr((l-g)/1e3)}<span class="ago"> ago</span></span
      >
      <span class="worker foreign cut mono muted">${ke(t)?y(t.workerId,64):""}</span>
      <span class="runs-cell">${Sf(i)}</span>
    </a>
  </div>`}function vf(t){let e=t.length>yf?-bf:0,n=e?f`<span class="cut">${y(t.slice(0,e))}</span>`:h;return f`<span class="id mono foreign" title=${t}>${n}${y(t.slice(e))}</span>`}function Ef(t,e,n){if(ke(t))return"";let{message:r="",code:o=""}=t.failure??{},s=y(r||o,120);return[t.state===1?ed(t,e,n):"",s].filter(Boolean).join(" \xB7 ")}function wf(t,e){if(t.state===1)return"";let n=v(t.firstStartTime),r=v(t.endTime),o=t.attempt>1?"took":"ran";return n!==void 0&&r!==void 0?`${o} ${K((r-n)/1e3)}`:A(t)||n===void 0?"":Xr(t,e)||T((e-n)/1e3)}function Sf(t){if(t.length<2)return h;let e=Math.max(...t.map(r=>r.seconds),.001),n=t.map(r=>`${K(r.seconds)} ${C(r.state).word}`);return f`<svg
    class="runs"
    viewBox="0 0 ${zs*6} 18"
    role="img"
    aria-label=${`last runs: ${n.join(", ")}`}
  >
    <title>${n.join(`
`)}</title>
    ${t.map((r,o)=>{let s=Math.max(r.seconds/e*17,1.5),{shape:i}=C(r.state),a=r.state===4;return P`<rect class=${i} x=${o*6+.5} y=${17.5-s} width="4" height=${s} fill=${a?"currentColor":"none"} stroke="currentColor"/>`})}
  </svg>`}var hd=L`
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
`;var Oe=36,xf=1e3,gd=10,zr=class extends Y{static properties={kind:{},owner:{},server:{},controls:{type:Boolean},filter:{attribute:!1},store:{attribute:!1},selected:{state:!0},hovered:{state:!0}};static styles=[V,hd];#e=[];#t=-1;#n=new Map;#r=new Map;#o=new Map;#i=[];#s;#a=[];#l=new ResizeObserver(()=>{this.requestUpdate()});constructor(){super(),this.kind=this.owner=this.server=this.selected="",this.controls=this.hovered=!1,this.filter=Fs}connectedCallback(){super.connectedCallback(),this.#l.observe(this),this.#a.push(me.add(()=>{this.requestUpdate()}))}disconnectedCallback(){super.disconnectedCallback(),this.#l.disconnect();for(let e of this.#a)e();this.#a=[],this.#s=void 0}search(){this.renderRoot.querySelector("input")?.focus()}move(e){let n=this.#e.filter(a=>a.type==="job"),r=n.findIndex(a=>a.key===this.selected),o=n[Math.min(Math.max(r+e,0),n.length-1)];if(!o)return;this.selected=o.key;let s=this.#A,i=this.#e.indexOf(o)*Oe;s&&i<s.scrollTop&&(s.scrollTop=i),s&&i+Oe>s.scrollTop+s.clientHeight&&(s.scrollTop=i+Oe-s.clientHeight)}open(){this.selected&&this.store&&this.#u(this.selected)&&(location.href=this.store.server.jobAddress(this.selected))}#u(e){return this.dispatchEvent(new CustomEvent("milepost-open",{detail:{jobId:e},bubbles:!0,composed:!0,cancelable:!0}))}willUpdate(e){(e.has("kind")||e.has("owner"))&&(this.filter={...this.filter,kind:this.kind||(e.get("kind")?"":this.filter.kind),owner:this.owner||(e.get("owner")?"":this.filter.owner)}),(e.has("filter")||e.has("server")||e.has("kind")||e.has("owner"))&&(this.store=Ge(this.server).jobs(this.filter)),this.#w(),this.#h(e.has("filter"))}render(){let{store:e}=this;return e?f`${this.controls?this.#p(e):h}
      ${this.#f?f`<button class="news" @click=${this.#g}>show changes</button>`:h}
      ${this.controls?this.#m():h}
      <div
        class="view"
        part="list"
        role="group"
        aria-label="jobs"
        @scroll=${this.#R}
        @pointerenter=${()=>{this.hovered=!0}}
        @pointerleave=${()=>{this.hovered=!1}}
      >
        <div class="area" ${B({height:`${this.#e.length*Oe}px`})}>${this.#c(e)}</div>
        ${this.#E(e)}
      </div>`:f``}#p(e){let{filter:n}=this;return f`<div class="totals" role="group" aria-label="state">
        ${xc.map(([r,o])=>{let s=this.#r.get(o)??0,{shape:i}=C(o),a=e.isComplete(o)?"":"+";return f`<button
            class=${s||a?"":"none"}
            aria-pressed=${n.states.includes(o)}
            @click=${()=>{this.#b(o)}}
          >
            <span class=${i}>${D(i)}</span> ${M(s)}${a} ${r}
          </button>`})}
      </div>
      <form class="filters" role="search" @submit=${this.#N}>
        <input
          type="search"
          name="q"
          aria-label="search by id, kind, owner or label"
          placeholder="search, or an id  /"
          .value=${n.search}
          @input=${this.#x}
        />
        ${this.#d("kind",n.kind)} ${this.#d("owner",n.owner)}
        <input
          aria-label="label"
          placeholder="label key=value"
          .value=${n.labels.join(" ")}
          @change=${this.#I}
        />
        <button hidden></button>
      </form>`}#d(e,n){return f`<input
      aria-label=${e}
      placeholder=${e}
      .value=${n}
      @change=${r=>{this.#S({...this.filter,[e]:r.target.value.trim()})}}
    />`}#m(){return f`<div class="headings" aria-hidden="true">
      <div class="columns">
        <span>state</span><span class="name">job</span><span class="owner">owner</span><span>progress</span
        ><span class="remaining number">time</span><span class="number">submitted</span
        ><span class="worker">worker</span><span class="runs-cell">last runs</span>
      </div>
    </div>`}#c(e){let n=this.#A,r=n?.scrollTop??0,o=Math.max(Math.floor(r/Oe)-gd,0),s=Math.ceil((r+(n?.clientHeight??800))/Oe)+gd,i=this.#e.slice(o,s),{now:a}=e;return this.#i=i.flatMap(l=>l.type==="job"&&e.get(l.key)?.state===1?[l.key]:[]),i.length===0?f``:f`<div class="rows" role="list" ${B({transform:`translateY(${o*Oe}px)`})}>
      ${Nt(i,l=>l.key,l=>{if(l.type==="group"){let u=e.isGroupComplete(l.key)?"":"+";return f`<div class="group" role="listitem">
              ${l.key} <span>${M(l.count)}${u}</span>
            </div>`}let c=e.get(l.key);return c?this.#y(e,c,l.depth,a):f`<div class="row muted" role="listitem">deleted</div>`})}
    </div>`}#y(e,n,r,o){this.#o.size>xf&&this.#o.clear();let s=this.#o.get(n.jobId);return s||this.#o.set(n.jobId,s=new ne),fd(n,{selected:n.jobId===this.selected,depth:r,address:e.server.jobAddress(n.jobId),movement:s.update(n.fraction,n.attempt,o),runs:this.#n.get(n.kind)??[],waiting:e.waitingOf(n.jobId),now:o,mayOpen:()=>this.#u(n.jobId)})}#v(){return this.controls?f`<button
      @click=${()=>{this.#S(Fs)}}
    >
      show all
    </button>`:h}#E(e){if(e.error)return f`<p class="notice failed" role="alert">
        The jobs could not be loaded: ${y(e.error)}
        <button
          @click=${()=>{e.loadMore()}}
        >
          try again
        </button>
      </p>`;if(e.isLoading)return f`<p class="notice muted">loading…</p>`;if(this.#e.length>0)return h;if(Dr(this.filter))return f`<p class="notice muted">no jobs that match ${this.#v()}</p>`;let n=f` <code>milepost submit KIND</code> submits one.`;return f`<p class="notice muted">no jobs yet${this.controls?f`.${n}`:h}</p>`}updated(){let e=this.#A,{store:n}=this;!e||!n||(n.lookUpWaiting(this.#i),e.scrollTop+3*e.clientHeight>this.#e.length*Oe&&n.loadMore())}#h(e){let{store:n}=this;!n||n.version===this.#t&&!e||this.hovered&&!e&&this.#e.length>0||(this.#t=n.version,this.#e=Rc(n.all(),this.filter,n.now),this.#r=kc(n.all(),this.filter),this.#n=Tc(n.all(),zs))}get#f(){return this.hovered&&this.store!==void 0&&this.store.version!==this.#t}#g=()=>{this.#t=-1,this.#e=[],this.requestUpdate()};#w(){this.store!==this.#s&&(this.#a.splice(1).forEach(e=>{e()}),this.#s=this.store,this.#t=-1,this.store&&this.#a.push(this.store.subscribe(()=>{this.requestUpdate()})))}#b(e){let{states:n}=this.filter;this.#S({...this.filter,states:n.includes(e)?n.filter(r=>r!==e):[...n,e]})}#S(e){this.filter=e,this.dispatchEvent(new CustomEvent("milepost-filter",{detail:{filter:e},bubbles:!0,composed:!0}))}#x=e=>{this.#S({...this.filter,search:e.target.value})};#I=e=>{this.#S({...this.filter,labels:e.target.value.split(/\s+/).filter(Boolean)})};#N=async e=>{e.preventDefault();let n=this.filter.search.trim();n&&await this.store?.exists(n)&&(location.href=this.store?.server.jobAddress(n)??"")};#R=()=>{this.requestUpdate()};get#A(){return this.renderRoot.querySelector(".view")}};var qr=class extends St{static styles=[V,L`
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
    `];#e=new ne;storeOf(e,n){return e.progressOf(n)}forget(){this.#e=new ne}render(){let{store:e}=this;if(!e)return h;let{job:n}=e;if(!n)return f`<span class="muted">${e.connection.state==="missing"?"no such job":"\u2026"}</span>`;let{now:r}=e,{word:o,shape:s}=C(n.state),i=tn(e.connection,r),a=i.stale?"":Xr(n,r);return f`<span class=${s} part="state" title=${o}
        >${D(s)}<span class="hidden-text">${o}</span></span
      >
      ${cn(n,this.#e.update(n.fraction,n.attempt,r),ie(n),s)}
      <span class="percent" part="percent">${It(n)}</span>
      ${a?f`<span class="muted" part="remaining">${a}</span>`:h}
      ${i.stale?f`<span class="muted" title=${i.text}>stale</span>`:h}`}};function bd(t,e){let n=y(e,64),r=t.filter(u=>!dn(u)),o=If(t.filter(dn));if(r.length===0)return o||(e?`no worker takes ${n}`:"no worker is connected");let s=e&&` ${r.length===1?"takes":"take"} ${n}`,i=qs(r,({jobCount:u})=>u),a=qs(r,({maxConcurrency:u})=>u),l=i>a?"all":`${i} of`,c=a>0?`${l} ${O(a,"place")} taken`:"no room for jobs";return[`${O(r.length,"worker")}${s}`,c,o].filter(Boolean).join(" \xB7 ")}function dn({kinds:t}){return t.length===0}function If(t){let{length:e}=t;if(e===0)return"";let n=qs(t,({jobCount:o})=>o),r=e===1?"1 process":`${M(e)} processes`;return n>0?`${O(n,"job")} claimed by ${r}`:`${r} ${e===1?"claims":"claim"} jobs`}function qs(t,e){return t.reduce((n,r)=>n+e(r),0)}var Af=5e3,Nf=200,eo=class extends Y{static properties={kind:{},server:{},quiet:{type:Boolean},workers:{state:!0}};static styles=[V,L`
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
    `,jr];#e=-1/0;#t;constructor(){super(),this.kind=this.server="",this.quiet=!1}connectedCallback(){super.connectedCallback(),this.#t=me.add(()=>void this.#o())}disconnectedCallback(){super.disconnectedCallback(),this.#t?.()}willUpdate(e){!e.has("kind")&&!e.has("server")||(this.workers=void 0,this.#e=-1/0,this.#o())}render(){let{workers:e,kind:n}=this;if(!e||this.quiet&&e.length===0)return h;let r=bd(e,n);if(e.length===0)return f`<p class="muted" part="workers">${r}</p>`;let o=this.#r.clock.now();return f`<details part="workers">
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
            ${e.slice(0,Nf).map(s=>this.#n(s,o))}
          </tbody>
        </table>
      </div>
    </details>`}#n(e,n){let{workerId:r,peer:o,node:s,sdk:i,kinds:a,jobIds:l,jobCount:c,maxConcurrency:u}=e;return f`<tr>
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
          >${c}${dn(e)?h:` of ${u}`}</span
        >
        ${l.slice(0,5).map(m=>f`<a class="mono" href=${this.#r.jobAddress(m)}>${je(m)}</a> `)}
      </td>
      <td class="foreign own-line" data-label="takes">
        ${dn(e)?f`<span class="muted">what it claims</span>`:a.map(m=>y(m,64)).join(", ")}
      </td>
      <td class="foreign" data-label="node">${y(s,64)}</td>
      <td data-label="connected">${yd(e.connectTime,n)}</td>
      <td data-label="heard">${yd(e.lastHeardTime,n)}</td>
    </tr>`}get#r(){return Ge(this.server)}async#o(){if(Me()||performance.now()-this.#e<Af)return;this.#e=performance.now();let{kind:e,server:n}=this,r=this.#r;if(await r.whoAmI(),!r.may("see workers"))return;let o=[];try{await z();for await(let s of r.client.listWorkers(e))o.push(s),await z()}catch(s){H(Ae(s),"PERMISSION_DENIED")&&(this.#e=1/0);return}e===this.kind&&n===this.server&&(this.workers=o)}};function yd(t,e){let n=v(t);return n===void 0?h:f`<span title=${W(n)}>${lr((e-n)/1e3)} ago</span>`}var Rf=1500,to=class extends Y{static properties={text:{},label:{},done:{state:!0}};static styles=[V,L`
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
        <slot></slot>${Kl()}</button
      ><span role="status" class=${this.done?"":"hidden-text"}>${this.done}</span>`}#t=async()=>{try{await navigator.clipboard.writeText(this.text),this.done="copied"}catch{this.done="The browser does not allow copying."}clearTimeout(this.#e),this.#e=setTimeout(()=>{this.done=""},Rf)}};var kf=2e4,un={stageIds:void 0,severity:1,text:""},no=class{constructor(e){this.source=e}generation=gt();prepended=0;dropped=0;boundaries=0;#e=[];#t=un;#n="";#r=0;#o=new He;get lines(){return this.#e}get shown(){return this.#t===un?this.source:this}get isBusy(){return this.#t!==un&&this.#r>0}setFilter(e){let n=!e.stageIds&&e.severity<=1&&!e.text;this.#t=n?un:e,this.#n=e.text.toLowerCase(),this.#i(),this.update()}update(){let{reset:e,dropped:n,prepended:r,appended:o}=this.#o.read(this.source);if(this.#t!==un){if(e)this.#i();else{this.#r=Math.max(this.#r-n,0)+r.length,n>0&&this.#a();let s=o.filter(i=>this.#l(i));for(let i of s)this.#e.push(i);this.boundaries+=ht(s)}this.#s()}}#i(){this.#o.read(this.source),this.generation=gt(),this.prepended=this.dropped=this.boundaries=0,this.#e=[],this.#r=this.source.lines.length}#s(){if(this.#r===0)return;let e=Math.max(this.#r-kf,0),n=this.source.lines.slice(e,this.#r).filter(r=>this.#l(r));this.#r=e,this.#e=n.concat(this.#e),this.prepended+=n.length,this.boundaries+=ht(n)}#a(){let e=this.source.lines[0]?.sequence??1/0,n=0;for(;(this.#e[n]?.sequence??1/0)<e;)n+=1;this.boundaries-=ht(this.#e.splice(0,n)),this.dropped+=n}#l(e){let{stageIds:n,severity:r}=this.#t;return e.startsAttempt?!0:e.severity>=r&&(!n||n.has(e.stageId))&&(!this.#n||e.text.toLowerCase().includes(this.#n))}};var ro=class{#e=[];#t=0;#n=0;get count(){return this.#t}get total(){return this.#n}clear(){this.#e=[],this.#t=this.#n=0}append(e){for(let n of e){let r=this.#e.at(-1);(!r||r.heights.length>=512)&&this.#e.push(r={heights:[],sum:0}),r.heights.push(n),r.sum+=n,this.#n+=n}this.#t+=e.length}prepend(e){let n=[];for(let r=0;r<e.length;r+=512){let o=e.slice(r,r+512),s=o.reduce((i,a)=>i+a,0);n.push({heights:o,sum:s}),this.#n+=s}this.#e=n.concat(this.#e),this.#t+=e.length}drop(e){let n=Math.min(e,this.#t);this.#t-=n;let r=0;for(let i of this.#e){if(i.heights.length>n)break;n-=i.heights.length,this.#n-=i.sum,r+=1}this.#e.splice(0,r);let o=this.#e[0];if(!o||!n)return;let s=o.heights.splice(0,n).reduce((i,a)=>i+a,0);o.sum-=s,this.#n-=s}set(e,n){let r=this.#r(e);if(!r)return;let o=n-(r.block.heights[r.place]??0);r.block.heights[r.place]=n,r.block.sum+=o,this.#n+=o}get(e){let n=this.#r(e);return n?.block.heights[n.place]??0}offsetOf(e){let n=this.#r(e);if(!n)return e<0?0:this.#n;let r=n.before;for(let o=0;o<n.place;o++)r+=n.block.heights[o]??0;return r}rowAt(e){let n=0,r=e;for(let{heights:o,sum:s}of this.#e){if(r>=s){r-=s,n+=o.length;continue}for(let i of o){if(r<i)return n;r-=i,n+=1}}return Math.max(this.#t-1,0)}#r(e){if(e<0||e>=this.#t)return;let n=e,r=0;for(let o of this.#e){if(n<o.heights.length)return{block:o,place:n,before:r};n-=o.heights.length,r+=o.sum}}};var oo=class{#e=0;#t=0;#n=0;#r=0;get height(){return Math.min(this.#e,8e6)}get top(){return this.#n}get position(){return this.#r}get shift(){return this.#r-this.#n}get bottom(){return Math.max(this.#e-this.#t,0)}resize(e,n){this.#e=e,this.#t=n,this.moveTo(this.#n)}moveTo(e){return this.#n=Math.min(Math.max(e,0),this.bottom),this.#r=this.#o(this.#n),this.#r}scrolled(e){let n=e-this.#r;if(this.#e<=8e6)return this.#n=this.#r=e,e;if(Math.abs(n)>this.#t){let s=Math.max(this.height-this.#t,1);return this.moveTo(e/s*this.bottom)}this.#n=Math.min(Math.max(this.#n+n,0),this.bottom),this.#r=e;let r=this.#o(this.#n);return(this.#n===0||this.#n===this.bottom||Math.abs(r-e)>4*this.#t)&&(this.#r=r),this.#r}#o(e){return this.#e<=8e6?e:Math.round(e/Math.max(this.bottom,1)*(this.height-this.#t))}};var Ed=/^[\x20-\x7e]*$/,Tf=/[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;function wd(t,e){let n=Math.max(e,1);if(t.length<=n&&Ed.test(t))return 1;let r=0;for(let o of t.split(`
`))r+=xd(o,n);return r}function Sd(t,e,n=20){if(t.length<=e)return t.length;let r=n,o=0;for(let s of t.split(`
`)){let i=xd(s,e);if(i>r)return o+Math.min(r*e,s.length);if(r-=i,o+=s.length+1,r===0)break}return Math.min(o,t.length)}function xd(t,e){let n=1,r=0;for(let o of t.split(/(?<= )/)){let s=vd(o);r+s<=e?r+=s:r+vd(o.trimEnd())<=e?r=e:s<=e?(n+=1,r=s):(r>0&&(n+=1),n+=Math.ceil(s/e)-1,r=s%e||e)}return n}function vd(t){if(Ed.test(t))return t.length;let e=0;for(let n of t)n==="	"?e+=4-e%4:e+=Tf.test(n)?2:1;return e}var Id=12,so=class{constructor(e){this.lineHeight=e}#e=new ro;#t=new oo;#n=new WeakSet;#r=new He;#o=80;#i=400;get columns(){return this.#o}get height(){return this.#t.height}get above(){return this.#t.top}get below(){return this.#t.bottom-this.#t.top}update(e){let{reset:n,dropped:r,prepended:o,appended:s}=this.#r.read(e);n&&this.#e.clear();let i=0;r>0&&(i-=this.#e.offsetOf(r),this.#e.drop(r)),o.length>0&&(this.#e.prepend(o.map(l=>this.#s(l))),i+=this.#e.offsetOf(o.length)),this.#e.append(s.map(l=>this.#s(l)));let a=this.#t.top;this.#a(),i!==0&&this.#t.moveTo(a+i*this.lineHeight)}setView(e,n){let r=e!==this.#o;return this.#o=e,this.#i=n,r&&(this.#r=new He),this.#a(),r}window(){let e=Math.floor(this.#t.top/this.lineHeight),n=Math.max(this.#e.rowAt(e)-Id,0),r=this.#e.rowAt(e+Math.ceil(this.#i/this.lineHeight))+Id,o=this.#e.offsetOf(n)*this.lineHeight+this.#t.shift;return{first:n,end:Math.min(r+1,this.#e.count),offset:o}}correct(e,n){let r=Math.max(Math.round(n/this.lineHeight),1);return r===this.#e.get(e)?!1:(this.#e.set(e,r),this.#a(),!0)}isWhole(e){return this.#n.has(e)}showWhole(e){this.#n.add(e)}moveToEnd(){return this.#t.moveTo(this.#t.bottom)}moveToRow(e){return this.#t.moveTo(this.#e.offsetOf(e)*this.lineHeight-this.#i/2)}scrolled(e){return this.#t.scrolled(e)}get position(){return this.#t.position}#s(e){let n=e.severity===2?"":`${bt(e.severity)} `,r=wd(n+e.text,this.#o);return this.isWhole(e)?r:Math.min(r,21)}#a(){this.#t.resize(this.#e.total*this.lineHeight,this.#i)}};var Lf={},Ad=xt(class extends Je{constructor(){super(...arguments),this.ot=Lf}render(t,e){return e()}update(t,[e,n]){if(Array.isArray(e)){if(Array.isArray(this.ot)&&this.ot.length===e.length&&e.every((r,o)=>r===this.ot[o]))return X}else if(this.ot===e)return X;return this.ot=Array.isArray(e)?Array.from(e):e,this.render(e,n)}});var Nd=[1,2,3,4],_f=6;function Rd(t){let{stages:e,stageId:n,severity:r,text:o,follow:s,isEnded:i,count:a}=t,l=e.map(c=>`${c.stageId}
${c.title}`).join(`
`);return f`<div class="controls">
    <select
      aria-label="stage of the lines"
      @change=${c=>{t.onStage(c.target.value)}}
    >
      ${Ad([l,n],()=>$f(e,n))}
    </select>
    <select
      aria-label="least severity of the lines"
      @change=${c=>{t.onSeverity(Nd[c.target.selectedIndex]??1)}}
    >
      ${Nd.map(c=>f`<option value=${c} ?selected=${c===r}>
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
  </div>`}function $f(t,e){let n=new Map;for(let{stageId:r,parentStageId:o}of t)n.set(r,Math.min((n.get(o)??-1)+1,_f));return f`<option value="" ?selected=${e===""}>all stages</option>
    ${t.map(r=>f`<option value=${r.stageId} ?selected=${r.stageId===e}>
          ${"\u2003".repeat(n.get(r.stageId)??0)}${y(r.title||r.stageId,60)}
        </option>`)}`}var kd=["black","red","green","yellow","blue","magenta","cyan","white"],Mf=/\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])/g;function Td(t){if(!t.includes("\x1B"))return[{text:de(t),styles:""}];let e=[],n={colour:"",bold:!1,dim:!1,italic:!1,underline:!1},r=0,o=s=>{if(s<=r)return;let{colour:i,...a}=n,l=[i,...Object.entries(a).flatMap(([c,u])=>u?[c]:[])];e.push({text:de(t.slice(r,s)),styles:l.filter(Boolean).join(" ")})};for(let s of t.matchAll(Mf))o(s.index),r=s.index+s[0].length,s[2]==="m"&&Gf(n,s[1]??"");return o(t.length),e}function Gf(t,e){let n=e.split(";").map(Number);for(let r=0;r<n.length;r++){let o=n[r]??0;o===0?Object.assign(t,{colour:"",bold:!1,dim:!1,italic:!1,underline:!1}):o===1?t.bold=!0:o===2?t.dim=!0:o===3?t.italic=!0:o===4?t.underline=!0:o===22?t.bold=t.dim=!1:o===23?t.italic=!1:o===24?t.underline=!1:o>=30&&o<=37?t.colour=kd[o-30]??"":o>=90&&o<=97?t.colour=kd[o-90]??"":o===39?t.colour="":(o===38||o===48)&&(r+=n[r+1]===5?2:4)}}function Cd(t,e){return f`<div
    class="line boundary"
    role="heading"
    aria-level="2"
    title="${W(t.time)} · event ${t.sequence}"
  >
    ${e}
  </div>`}function Ld(t,e,n,r,o,s){let i=bt(t.severity),a=n===1/0?t.text.length:Sd(t.text,n),l=Td(t.text.slice(0,a));return f`<div class="line ${i} ${r?"marked":""}">
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
      >${i==="info"?h:f`<b class="severity">${i}</b> `}${l.map(({text:c,styles:u})=>u?f`<span class=${u}>${c}</span>`:c)}${a<t.text.length?f`<button
              class="plain more"
              @click=${()=>{o(t)}}
            >
              … show all ${M(t.text.length)} characters
            </button>`:h}</span
    >
  </div>`}var _d=L`
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
`;var Jf=19,$d=100,Uf=2,Of=4,io=class extends fe{static properties={follow:{type:Boolean,reflect:!0},tail:{type:Boolean,reflect:!0},stageId:{attribute:!1},line:{attribute:!1},severity:{state:!0},text:{state:!0},searching:{state:!0}};static styles=[V,_d];#e;#t=!1;#n=new so(Jf);#r=new ResizeObserver(()=>{this.#p()});constructor(){super(),this.follow=!0,this.tail=this.searching=!1,this.stageId=this.text="",this.line=0,this.severity=1}search(){this.renderRoot.querySelector("input")?.focus()}toggleFollow=()=>{this.follow=!this.follow};connectedCallback(){super.connectedCallback(),this.updateComplete.then(()=>{this.#b&&this.#r.observe(this.#b)})}disconnectedCallback(){super.disconnectedCallback(),this.#r.disconnect()}forget(){this.stageId=this.text="",this.follow=!0,this.searching=!1,this.line=0}willUpdate(e){super.willUpdate(e),e.has("line")&&(this.#t=this.line>0,this.#t&&(this.follow=!1));let n=this.store?.log.lines;if(!n)return;let r=this.#g(n);["store","stageId","severity","text"].some(o=>e.has(o))?r.setFilter({stageIds:this.#w(),severity:this.severity,text:this.text}):r.update(),this.#n.update(r.shown),r.isBusy&&requestAnimationFrame(()=>{this.requestUpdate()})}render(){let{log:e,job:n}=this.store??{};return f`${this.tail||!e?h:Rd({stages:n?.stages??[],stageId:this.stageId,severity:this.severity,text:this.text,follow:this.follow,isEnded:this.store?.isEnded??!1,count:this.#s(),onStage:r=>this.stageId=r,onSeverity:r=>this.severity=r,onText:r=>this.text=r,onFollow:this.toggleFollow})}
      <div
        class="view ${this.#i()}"
        part="log"
        role="log"
        aria-live="off"
        aria-label="log"
        tabindex="0"
        @scroll=${this.#d}
        @wheel=${this.#m}
        @keydown=${this.#c}
      >
        <span class="probe" aria-hidden="true">${"0".repeat($d)}</span>
        <div class="area" ${B({height:`${this.#n.height}px`})}>${this.#o()}</div>
      </div>
      ${this.#a()}`}#o(){let e=this.#e?.shown.lines??[];if(e.length===0)return h;let{first:n,end:r,offset:o}=this.#n.window(),{job:s,attempts:i=[]}=this.store??{},a=new Map(s?.stages.map(u=>[u.stageId,u.title||u.stageId])),{columns:l}=this.#n,c=Math.max(4,...[...a.values()].map(u=>u.length));return f`<div
      class="rows"
      ${B({transform:`translateY(${o}px)`,"--stage-width":`${Math.min(c,24)}ch`})}
    >
      ${Nt(e.slice(n,r),u=>u.sequence,u=>u.startsAttempt?Cd(u,mc(u.startsAttempt,u.time,s,i)):Ld(u,a.get(u.stageId)??u.stageId,this.#n.isWhole(u)?1/0:l,u.sequence===this.line,this.#y,this.#E))}
    </div>`}#i(){let e=this.#e&&ue(this.#e.shown)===0?"empty":"";return this.store?.log.lines.hasStages?e:`${e} without-stages`}#s(){let e=this.store?.log,n=e?ue(e.lines):0;if(!e?.isLoaded||!this.#e||n===0)return"";let r=ue(this.#e.shown),o=`${M(n)}${e.hasOlder?"+":""} ${n===1?"line":"lines"}`;return this.#e.isBusy?`filtering ${o}\u2026`:r===n?o:`${M(r)} of ${o}`}#a(){let{log:e,isCaughtUp:n,isEnded:r}=this.store??{},o=e?ue(e.lines):0;return e?.error?f`<p class="notice failed" role="alert">
        The log could not be loaded: ${e.error} <button @click=${this.#f}>try again</button>
      </p>`:o>0?this.#l(o,e?.hasOlder??!1):!e?.isLoaded||e.isLoading||!n?f`<p class="notice muted">loading…</p>`:e.hasOlder?f`<p class="notice muted">
        no lines among the newest events <button @click=${this.#f}>look further back</button>
      </p>`:f`<p class="notice muted">no log lines${r?"":" yet"}</p>`}#l(e,n){let r=this.#e;return!r||r.shown===r.source||r.isBusy?h:n?f`<p class="notice muted">
      searched the newest ${M(e)} lines
      <button
        @click=${()=>{this.searching=!this.searching}}
      >
        ${this.searching?"stop":"search older ones"}
      </button>
    </p>`:ue(r)>0?h:f`<p class="notice muted">
        none of ${M(e)} lines matches <button @click=${this.#h}>show all</button>
      </p>`}updated(){let e=this.#b;if(!e)return;this.#t&&this.#v();let n=this.follow?this.#n.moveToEnd():this.#n.position;Math.abs(e.scrollTop-n)>1&&(e.scrollTop=n),this.#u();let r=this.store?.log,o=!this.follow&&this.#n.above<Uf*e.clientHeight;r?.hasOlder===!1&&(this.searching=!1),(o||this.searching||this.#t)&&r?.isLoaded&&!r.isLoading&&!r.error&&r.hasOlder&&this.#f()}#u(){let{first:e,end:n}=this.#n.window(),r=this.renderRoot.querySelectorAll(".line");if(r.length!==n-e)return;[...r].filter((s,i)=>this.#n.correct(e+i,s.offsetHeight)).length>0&&this.requestUpdate()}#p(){let e=this.#b,n=this.renderRoot.querySelector(".probe")?.getBoundingClientRect().width??0;if(!e||n===0)return;let r=this.renderRoot.querySelector(".text")?.clientWidth??e.clientWidth-220;this.#n.setView(Math.max(Math.floor(r*$d/n),10),e.clientHeight),this.requestUpdate()}#d=()=>{let e=this.#b;if(!e||Math.abs(e.scrollTop-this.#n.position)<=1)return;let n=this.#n.scrolled(e.scrollTop);Math.abs(n-e.scrollTop)>1&&(e.scrollTop=n),this.follow=this.#n.below<=Of,this.requestUpdate()};#m=e=>{e.deltaY<0&&this.#n.above>0&&(this.follow=!1)};#c=e=>{["ArrowUp","PageUp","Home"].includes(e.key)&&this.#n.above>0&&(this.follow=!1)};#y=e=>{this.#n.showWhole(e),this.follow=!1,this.requestUpdate()};#v(){let{log:e}=this.store??{},n=this.#e?.shown.lines??[],r=n[0]?.sequence??1/0;if(!e?.isLoaded||r>this.line&&e.hasOlder&&!e.error)return;this.#t=!1;let o=n.findIndex(({sequence:s})=>s>=this.line);this.#n.moveToRow(o<0?n.length:o),this.requestUpdate()}#E=({sequence:e})=>{this.line=e===this.line?0:e;let n={line:this.line};this.dispatchEvent(new CustomEvent("milepost-line",{detail:n,bubbles:!0,composed:!0}))};#h=()=>{this.stageId=this.text="",this.severity=1};#f=()=>{this.store?.loadOlderLines()};#g(e){return this.#e?.source!==e&&(this.#e=new no(e)),this.#e}#w(){if(!this.stageId)return;let e=new Set([this.stageId]);for(let n of this.store?.job?.stages??[])e.has(n.parentStageId)&&e.add(n.stageId);return e}get#b(){return this.renderRoot.querySelector(".view")}};var Df=.06,Bf=[.001,.002,.005,.01,.02,.05,.1,.2,.5,1,2,5,10,15,30,60,120,300,600,900,1800,3600,7200,14400,43200,86400],Md=8;function Jd(t,e){let n=v(t.submitTime)??e,r=v(t.firstStartTime)??n,o=v(t.endTime),s=o??Math.max(e,ei(t,e)??e),i=r-n>s-r&&s>r?{from:n,width:Df}:void 0,a=i?r:n,l=i?.width??0,c=Math.max((s-a)/1e3,.001),u=Bf.find(g=>c/g<=Md)??Math.ceil(c/Md/86400)*86400,m=o===void 0?(Math.floor(c/u)+1)*u:c,b=g=>l+(1-l)*Math.min(g/m,1),p=[];for(let g=0;g*u<m-u/2;g++)p.push({at:b(g*u),label:Vf(g*u,u)});return{start:a,end:a+m*1e3,ticks:p,now:o===void 0?b((e-a)/1e3):void 0,folded:i}}function Ud(t,e,n,r){let o=[],s=Dd(o,n);for(let c of e){s("waiting",c.queued,c.start,c.number,!1);let u=c.outcome==="failed"||c.outcome==="lost"||c.outcome==="cancelled",m=c.end??(c.outcome?c.start:r);s(c.number<t.attempt?"earlier":"running",c.start,m,c.number,u)}let i=e.at(-1),a=i?i.outcome?i.end:void 0:v(t.submitTime)??r;a!==void 0&&!A(t)&&s("waiting",a,r,t.attempt+1,!1);let l=ei(t,r);return l!==void 0&&s("expected",r,l,t.attempt,!1),o}function Od(t,e,n,r,o,s){let i=[],a=Dd(i,o);for(let b of r){let p=b.number<n.attempt?b.stages.get(t.stageId):void 0;p&&a("earlier",p.start,p.end??p.start,b.number,Gd(p.state))}let l=v(t.startTime);if(l===void 0)return i;let c=v(e?.startTime);c!==void 0&&a("waiting",c,l,n.attempt,!1);let u=v(t.endTime);a("running",l,u??s,n.attempt,Gd(t.state));let m=u===void 0?Ff(t,n,l,s):void 0;return m!==void 0&&a("expected",s,m,n.attempt,!1),i}function ei(t,e){let n=an(t,e)?.medianMs;return n===void 0?void 0:e+n}function Ff(t,e,n,r){let o=ei(e,r);if(!(o===void 0||!t.fractionKnown||t.fraction<.05))return Math.min(o,r+(r-n)*(1-t.fraction)/t.fraction)}function Gd(t){return t===4||t===6}function Dd(t,e){let{start:n,end:r,folded:o}=e,s=o?.width??0,i=a=>o&&a<n?s*Math.max(a-o.from,0)/Math.max(n-o.from,1):s+(1-s)*Math.min(Math.max((a-n)/(r-n),0),1);return(a,l,c,u,m)=>{(c>l||a==="running")&&t.push({part:a,from:i(l),to:Math.max(i(l),i(c)),attempt:u,broken:m})}}function Vf(t,e){return e<.1?`${Math.round(t*1e3)} ms`:e<1?`${t.toFixed(1)} s`:t===0?"0:00":T(t).replace(/^0(\d:)/,"$1")}var Bd=L`
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
`;function ao(t,e,n="running",r=!1){let[o=0,s=1]=e.ticks.map(({at:i})=>i);return f`<div
    class="track ${n}"
    part="track"
    aria-hidden="true"
    ${B({"--origin":`${o}`,"--tick":`${(s-o)/(1-o)}`,"--now":`${e.now??0}`})}
  >
    ${e.now===void 0?h:f`<div class="now"></div>`}
    ${t.map(({part:i,from:a,to:l,broken:c,attempt:u})=>f`<div
          class="segment part-${i} ${c?"broken":""}"
          title=${i==="earlier"?`attempt ${u}`:i}
          ${B({"--from":a.toFixed(5),"--to":l.toFixed(5)})}
        ></div>`)}
    ${r&&e.folded!==void 0?f`<div class="fold-mark">//</div>`:h}
  </div>`}var lo=class extends fe{static properties={narrow:{type:Boolean,reflect:!0},selected:{state:!0}};static styles=[V,Bd];#e=new Map;#t=new Map;#n=[];constructor(){super(),this.narrow=!1,this.selected=""}forget(){this.#e=new Map,this.#t=new Map,this.selected=""}move(e){let n=this.#n.findIndex(o=>o.key===this.selected),r=this.#n[Math.min(Math.max(n+e,0),this.#n.length-1)];r&&this.#a(r.key)}toggle(e=this.selected){let n=this.#n.find(r=>r.key===e);n?.open!==void 0&&(this.#e=new Map(this.#e).set(n.key,!n.open),this.requestUpdate())}render(){let{store:e}=this,n=e?.job;if(!e||!n?.stages.length)return h;let{now:r,attempts:o}=e,s=Jd(n,r);this.#n=Pc(n.stages,this.#e);let i=new Map(n.stages.map(u=>[u.stageId,u])),a=Hc(e.usual),l={job:n,attempts:o,stages:i,heaviest:Yf(n.stages),usual:a,scale:s,now:r},c=this.#n.some(u=>u.key===this.selected)?this.selected:this.#n[0]?.key;return f`
      <div class="scale" aria-hidden="true">
        <span>stages</span><span class="weight-cell"></span><span></span><span class="number">time</span>
        <span class="number usual">${a.size>0?"usual":""}</span>
        <div class="ticks">
          ${s.ticks.map(({at:u,label:m})=>f`<span ${B({"--at":`${u}`})}>${m}</span>`)}
        </div>
      </div>
      ${this.#r(l)}
      <div role="tree" aria-label="stages" @keydown=${this.#l}>
        ${Nt(this.#n,u=>u.key,u=>u.type==="rest"?this.#s(u,s,u.key===c):this.#o(u,l,u.key===c))}
      </div>
    `}#r({job:e,attempts:n,scale:r,now:o}){return f`<div class="row" aria-hidden="true">
      <span class="name muted" ${B({"--depth":"0"})}>whole job</span><span class="weight-cell"></span
      ><span></span><span></span><span class="usual"></span>
      ${ao(Ud(e,n,r,o),r,C(e.state).shape,!0)}
    </div>`}#o(e,n,r){let{stage:o}=e,{job:s,attempts:i,stages:a,heaviest:l,usual:c,scale:u,now:m}=n,{word:b,shape:p}=nn(o.state),g=y(o.title||o.stageId),E=e.inner?`${e.innerDone} of ${e.inner}`:Ul(o.current,o.total,o.unit),x=o.state===2?o.fractionKnown?pt(o.fraction):"":b,$=y(o.failure?.message??o.message),et=Od(o,a.get(o.parentStageId),s,i,u,m),S=Wf(o,m),re=c.get(o.stageId),Rt=re!==void 0&&Qc(o,re,m),kt=re===void 0?"":`usually ${K(re)}`;return f`<div
      class="row"
      part="stage"
      role="treeitem"
      tabindex=${r?0:-1}
      data-key=${e.key}
      aria-level=${e.depth+1}
      aria-expanded=${e.open??h}
      aria-selected=${e.key===this.selected}
      aria-label=${[g,b,x===b?"":x,E,S,Rt?kt:"",$].filter(Boolean).join(", ")}
      title=${[Pf(o,b),kt].filter(Boolean).join(`
`)}
      @click=${()=>{this.#a(e.key),e.inner&&this.toggle(e.key)}}
    >
      <span class="name" ${B({"--depth":`${Math.min(e.depth,12)}`})}>
        ${e.open===void 0?h:$s(e.open)}<span class=${p}
          >${D(p)}</span
        >
        <span class="cut foreign ${p==="waiting"||p==="skipped"?"muted":""}">${g}</span>
        <span class="amount foreign">${E}${E&&$?" \xB7 ":""}</span
        >${$?f`<span class="message cut foreign ${o.failure?"failed":""}">${$}</span>`:h}
      </span>
      <span class="weight-cell ${p}"
        >${this.#i(o,l.get(o.parentStageId)??1,s.attempt,m)}</span
      >
      <span class="number ${p==="running"?"":p==="failed"?"failed":"muted word"}"
        >${x}</span
      >
      <span class="number ${Rt?"slow":"muted"}">${S}</span>
      <span class="number usual muted">${re===void 0?"":K(re)}</span>
      ${ao(et,u,p)}
    </div>`}#i(e,n,r,o){let s=(e.weight??1)/(n||1),i=!e.fractionKnown&&e.state===2,a=this.#t.get(e.stageId);a||this.#t.set(e.stageId,a=new ne);let{fraction:l,seconds:c}=a.update(e.fraction,r,o);return f`<div
      class="bar ${i?"unknown moving":""}"
      ${B({"--weight":`${Math.max(s*100,16).toFixed(1)}%`,"--fraction":`${l}`,"--seconds":`${c}s`})}
    >
      <div class="fill"></div>
    </div>`}#s(e,n,r){let o=Yc(e.hidden).map(([i,a])=>`${a} ${nn(i).word}`),s=e.open?"show fewer":`${e.hidden.length} more: ${o.join(", ")}`;return f`<div
      class="row rest"
      role="treeitem"
      tabindex=${r?0:-1}
      data-key=${e.key}
      aria-level=${e.depth+1}
      aria-expanded=${e.open}
      aria-selected=${e.key===this.selected}
      @click=${()=>{this.#a(e.key),this.toggle(e.key)}}
    >
      <span class="name" ${B({"--depth":`${Math.min(e.depth,12)}`})}
        >${$s(e.open)}<span class="cut">${s}</span></span
      >
      ${ao([],n)}
    </div>`}#a(e){this.selected=e,this.updateComplete.then(()=>{this.renderRoot.querySelector('[aria-selected="true"]')?.focus()});let n=this.#n.find(o=>o.key===e),r=n?.type==="stage"?n.stage.stageId:"";this.dispatchEvent(new CustomEvent("milepost-select",{detail:{stageId:r},bubbles:!0,composed:!0}))}#l=e=>{let n=this.#n.find(s=>s.key===this.selected),o={ArrowDown:1,ArrowUp:-1,Home:-1/0,End:1/0}[e.key];if(o!==void 0)this.move(o);else if(e.key==="ArrowRight"&&n?.open===!1)this.toggle();else if(e.key==="ArrowLeft"&&n?.open)this.toggle();else if(e.key===" ")this.toggle();else return;e.preventDefault()};updated(){let e=new Set(this.store?.job?.stages.map(n=>n.stageId));for(let n of this.#t.keys())e.has(n)||this.#t.delete(n)}};function Wf(t,e){let n=v(t.startTime);if(n===void 0)return"";let r=v(t.endTime);return r===void 0?T((e-n)/1e3):K((r-n)/1e3)}function Pf(t,e){let n=v(t.startTime),r=v(t.endTime);return[`${y(t.title||t.stageId)} (${t.stageId}): ${e}`,t.fractionKnown?`${Re(t.fraction)} %`:"",t.weight===void 0?"":`weight ${t.weight}`,n===void 0?"":`started ${W(n)}`,r===void 0?"":`ended ${W(r)}`,y(t.message)].filter(Boolean).join(`
`)}function Yf(t){let e=new Map;for(let{parentStageId:n,weight:r}of t)e.set(n,Math.max(e.get(n)??0,r??1));return e}var Vd={};Yd(Vd,{KEYS:()=>pn,Keyboard:()=>co,LitElement:()=>Y,absolute:()=>W,chipIcon:()=>Zl,chipOf:()=>tn,count:()=>O,css:()=>L,dialogStyles:()=>cr,filterOf:()=>Ic,grouped:()=>M,html:()=>f,instantOf:()=>v,isForeignKey:()=>Fd,isKnown:()=>ie,jobLook:()=>C,needsWorkers:()=>Cc,nothing:()=>h,oneLine:()=>y,queryOf:()=>Dr,serverAt:()=>Ge,sharedStyles:()=>V,shortId:()=>je,stateIcon:()=>D,ticker:()=>me,wholePercent:()=>Re});var pn=[["/","search","search the log, or the list"],["j","next","next stage or job"],["k","previous","previous stage or job"],["Enter","toggle","fold or unfold the stage, open the job"],["f","follow","follow the log"],["c","cancel","cancel the job"],["g l","list","go to the list"],["?","help","show or hide these keys"],["Escape","close","close what is open"]];var co=class{#e="";#t=0;press(e,n){let r=n-this.#t<=1500?this.#e:"";this.#e="";let o=r?`${r} ${e}`:e,s=pn.find(([i])=>i===o)??pn.find(([i])=>i===e);if(s)return s[1];pn.some(([i])=>i.startsWith(`${e} `))&&(this.#e=e,this.#t=n)}};function Fd(t){if(t.ctrlKey||t.metaKey||t.altKey||t.defaultPrevented||t.isComposing)return!0;let e=t.composedPath()[0];return!(e instanceof Element)||t.key==="Escape"?!1:e.matches("input, textarea, select, [contenteditable]")?!0:t.key==="Enter"&&e.matches("button, a, summary, [role=tab]")}var Zf=[["milepost-copy",to],["milepost-cancel-sheet",ur],["milepost-log-view",io],["milepost-stages-view",lo],["milepost-job",Hr],["milepost-jobs",zr],["milepost-progress",qr],["milepost-workers",eo]];for(let[t,e]of Zf)customElements.get(t)||customElements.define(t,e);export{Hr as MilepostJob,zr as MilepostJobs,qr as MilepostProgress,eo as MilepostWorkers,qm as configure,Vd as pageParts};
/*! For license information please see elements.js.LEGAL.txt */
