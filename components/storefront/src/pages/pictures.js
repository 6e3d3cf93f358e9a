/**
 * Drawings. Products have no photographs, so each gets a line drawing that its words suggest: first the
 * product's name is looked at, then its category. Whatever is not recognised is a parcel.
 *
 * All share one grid of 96 units and three classes of the style sheet: `a` is paper, `b` is colour, `c` is line only.
 */

import { html } from "../html.js";

const tilted = (angle, drawing) => html`<g transform="rotate(${angle} 48 48)">${drawing}</g>`;

const PARCEL = html`<path class="a" d="M12 32 48 16l36 16v34L48 82 12 66z"/><path class="b" d="M30 24l36 16v12l-9-4V44L21 28z"/><path class="c" d="M12 32l36 16 36-16M48 48v34"/>`;

/** A drawing and the words that ask for it, most particular first. */
const DRAWINGS = [
  ["drill driver router rotary masonry twist heat gun power", html`<path class="a" d="M12 24h46c7 0 11 4 11 11s-4 11-11 11H44l4 26H30l-5-26H20c-5 0-8-3-8-8z"/><path class="b" d="M24 72h30v13H24zM69 28h9v14h-9z"/><path class="c" d="M78 35h12M20 31h18M48 50l7 0"/>`],
  ["hammer mallet", tilted(40, html`<rect class="b" x="43" y="32" width="10" height="56" rx="5"/><path class="a" d="M24 14h10l4 4h20c9 0 15 5 17 16-6-5-11-5-17-5H38l-4 4H24z"/>`)],
  ["screwdriver", tilted(45, html`<path class="b" d="M40 6h16l3 9-3 24H40l-3-24z"/><path class="c" d="M44 12v20M52 12v20"/><path class="a" d="M45 39h6v36l2 4v9H43v-9l2-4z"/>`)],
  ["spanner key", tilted(45, html`<path class="a" d="M36 8v14l6 5h12l6-5V8a18 18 0 0 1-6 33v28a12 12 0 1 1-12 0V41A18 18 0 0 1 36 8z"/><circle class="b" cx="48" cy="79" r="5"/>`)],
  ["pliers tweezers crimping", html`<path class="a" d="M47 10C36 18 35 32 42 44h12c7-12 6-26-5-34v22h-2z"/><path class="b" d="M44 44C30 54 25 70 28 88h8c0-14 5-26 16-34zM52 44c14 10 19 26 16 44h-8c0-14-5-26-16-34z"/><circle class="a" cx="48" cy="47" r="7"/>`],
  ["chisel scalpel plane", tilted(45, html`<rect class="b" x="40" y="6" width="16" height="36" rx="7"/><path class="a" d="M42 42h12v34L42 90z"/><path class="c" d="M40 36h16"/>`)],
  ["vise clamp", html`<path class="a" d="M18 10h12v76H18z"/><path class="a" d="M30 10h38v12H30zM30 60h26v12H30z"/><path class="b" d="M60 34h10v42H60z"/><path class="c" d="M65 76v12M54 88h22M60 34h10M58 26h14v8H58z"/>`],
  ["battery charger supply", html`<path class="b" d="M34 16h10v10H34zM52 16h10v10H52z"/><rect class="a" x="20" y="26" width="56" height="58" rx="7"/><path class="b" d="M51 36 35 58h11l-3 18 18-24H49z"/>`],
  ["disc discs grinder sander sanding hole", html`<circle class="b" cx="48" cy="48" r="36"/><circle class="a" cx="48" cy="48" r="28"/><circle class="b" cx="48" cy="48" r="8"/><path class="c" d="M48 26v6M48 64v6M26 48h6M64 48h6M32 32l4 4M60 60l4 4M64 32l-4 4M36 60l-4 4"/>`],
  ["saw jigsaw bandsaw", html`<path class="a" d="M6 62 64 26l12 18-6 3-2 6-6 0-3 6-6 0-3 6-6-1-3 6-6-1-3 5-6 0-4 5z"/><path class="b" d="M64 26c8-8 22-6 25 6s-6 26-18 24c-6-1-7-8-4-12z"/><circle class="a" cx="77" cy="38" r="6"/>`],
  ["vacuum extractor compressor", html`<path class="a" d="M18 40h46v34H18z"/><path class="b" d="M22 24h38l4 16H18z"/><circle class="b" cx="28" cy="78" r="8"/><circle class="b" cx="56" cy="78" r="8"/><path class="c" d="M64 52c18 0 6-38 24-38M28 54h26"/>`],
  ["nut washer rivet neodymium magnet feet", html`<path class="a" d="M48 10l33 19v38L48 86 15 67V29z"/><circle class="b" cx="48" cy="48" r="18"/><circle class="a" cx="48" cy="48" r="12"/>`],
  ["screw bolt rod plug anchor fasteners", tilted(45, html`<path class="a" d="M32 10h32l-8 13H40z"/><path class="b" d="M42 23h12v46l-6 16-6-16z"/><path class="c" d="M38 36l20-6M38 46l20-6M38 56l20-6M38 66l20-6"/>`)],
  ["bracket square marking steel rule", html`<path class="a" d="M14 10h18v54h54v18H14z"/><path class="c" d="M23 18h9M26 26h6M23 34h9M26 42h6M23 50h9M40 64v9M48 64v6M56 64v9M64 64v6M72 64v9"/><circle class="b" cx="23" cy="73" r="4"/>`],
  ["gaffer label sticky strap hook", html`<circle class="b" cx="44" cy="44" r="34"/><circle class="a" cx="44" cy="44" r="18"/><path class="b" d="M44 78h44v-9l-6-4 6-4v-9H77"/>`],
  ["printer cnc cutter enclosed", html`<rect class="a" x="12" y="10" width="72" height="76" rx="6"/><path class="b" d="M22 20h52v44H22z"/><path class="a" d="M40 20h16v12l-8 8-8-8z"/><path class="a" d="M36 52h24v12H36z"/><path class="c" d="M30 75h20M64 75h6"/>`],
  ["cable wire jumper paracord braid reel solder", html`<circle class="a" cx="48" cy="46" r="36"/><circle class="b" cx="48" cy="46" r="26"/><circle class="a" cx="48" cy="46" r="13"/><path class="c" d="M48 82h22c8 0 14 3 18 8M28 30a26 26 0 0 1 14-9M54 71a26 26 0 0 0 14-8"/>`],
  ["adhesive threadlocker oil coolant bottle", html`<path class="b" d="M40 8h16v16H40z"/><path class="a" d="M38 24h20l10 14v44c0 4-3 6-6 6H34c-3 0-6-2-6-6V38z"/><path class="b" d="M28 50h40v22H28z"/><path class="c" d="M36 58h24M36 64h14"/>`],
  ["resistor capacitor led temperature sensor", html`<path class="b" d="M32 50V32a16 16 0 0 1 32 0v18z"/><path class="a" d="M28 50h40v9H28z"/><path class="c" d="M40 59v28M56 59v20M76 22l10-6M80 36h10M20 22l-10-6M16 36H6"/>`],
  ["board computer logic oled breadboard pcb electronics", html`<rect class="a" x="12" y="18" width="72" height="60" rx="6"/><rect class="b" x="36" y="36" width="24" height="24" rx="2"/><path class="c" d="M42 36v-8M48 36V18M54 36v-8M42 60v8M48 60v18M54 60v8M36 42h-8M36 54H24M60 42h14M60 54h8"/><circle class="b" cx="21" cy="27" r="3"/><circle class="b" cx="75" cy="69" r="3"/>`],
  ["multimeter oscilloscope analyser thermometer gauge soldering laboratory", html`<rect class="a" x="22" y="8" width="52" height="80" rx="9"/><rect class="b" x="31" y="17" width="34" height="20" rx="3"/><path class="c" d="M36 30l5-7 5 8 5-10 5 9"/><circle class="b" cx="48" cy="60" r="14"/><path class="c" d="M48 60l7-8"/>`],
  ["motor servo", html`<rect class="a" x="16" y="26" width="48" height="48" rx="6"/><circle class="b" cx="40" cy="50" r="15"/><circle class="a" cx="40" cy="50" r="5"/><path class="b" d="M64 42h22v16H64z"/><path class="c" d="M24 34h3M53 34h3M24 66h3M53 66h3"/>`],
  ["tape measure", html`<path class="a" d="M12 30a16 16 0 0 1 16-16h24a22 22 0 0 1 22 22v42H28a16 16 0 0 1-16-16z"/><circle class="b" cx="42" cy="44" r="17"/><path class="b" d="M74 68h14v14h-6v-4h-8z"/><path class="c" d="M42 34v10l8 6"/>`],
  ["caliper micrometer measuring scale", html`<path class="a" d="M8 26h80v14H8z"/><path class="a" d="M8 40h14v40L10 66z"/><path class="b" d="M44 20h26v26H58v34L44 66z"/><path class="c" d="M28 33v7M34 30v10M76 33v7M82 30v10"/>`],
  ["level laser distance", html`<rect class="a" x="6" y="34" width="84" height="28" rx="4"/><rect class="b" x="34" y="40" width="28" height="14" rx="7"/><path class="c" d="M43 40v14M53 40v14"/><circle class="b" cx="19" cy="48" r="6"/><circle class="b" cx="77" cy="48" r="6"/>`],
  ["lamp light torch lantern magnifier", html`<path class="a" d="M32 12h32l10 32H22z"/><path class="b" d="M38 44a10 10 0 0 0 20 0z"/><path class="c" d="M48 56v26M26 60l-8 8M70 60l8 8"/><path class="a" d="M30 82h36v6H30z"/>`],
  ["workbench trestle stool shelf bench", html`<path class="b" d="M6 30h84v12H6z"/><path class="a" d="M14 42h10v44H14zM72 42h10v44H72z"/><path class="c" d="M24 66h48"/><path class="a" d="M56 16h18v14H56z"/>`],
  ["cabinet drawers organiser archive drawer", html`<rect class="a" x="16" y="8" width="64" height="78" rx="5"/><path class="b" d="M24 16h48v16H24zM24 39h48v16H24zM24 62h48v16H24z"/><path class="c" d="M42 24h12M42 47h12M42 70h12"/>`],
  ["glasses spectacles", html`<path class="a" d="M6 36h84v8c-2 18-13 26-24 26-10 0-15-7-18-16-3 9-8 16-18 16C19 70 8 62 6 44z"/><path class="b" d="M16 42h24c0 12-4 20-11 20s-12-8-13-20zM56 42h24c-1 12-6 20-13 20s-11-8-11-20z"/>`],
  ["glove gloves", html`<path class="a" d="M28 78V58L15 43c-4-6 3-12 8-7l9 9V19c0-7 9-7 9 0v-7c0-7 9-7 9 0v5c0-6 9-6 9 1v7c0-6 9-6 9 1v32c0 8-3 13-5 20z"/><path class="b" d="M25 76h41v13H25z"/><path class="c" d="M41 19v22M50 17v24M59 25v17"/>`],
  ["hat helmet defenders mask earplugs", html`<path class="a" d="M14 60c0-24 14-42 34-42s34 18 34 42z"/><path class="b" d="M6 60h84v12H6z"/><path class="c" d="M40 20v26M56 20v26"/>`],
  ["shoes boot", html`<path class="a" d="M26 10h26v34c4 10 14 12 26 16 7 2 10 7 10 14H26z"/><path class="b" d="M24 74h66v12H24z"/><path class="c" d="M40 24h12M40 34h12M44 44h10"/>`],
  ["trousers vest apron knee workwear", html`<path class="a" d="M30 10h10c2 8 14 8 16 0h10l14 14-8 12-6-4v54H30V32l-6 4-8-12z"/><path class="b" d="M30 50h36v10H30zM30 66h36v8H30z"/>`],
  ["first-aid eye-wash extinguisher", html`<path class="c" d="M36 26v-9h24v9"/><rect class="a" x="10" y="26" width="76" height="56" rx="8"/><path class="b" d="M42 36h12v12h12v12H54v12H42V60H30V48h12z"/>`],
  ["tent tarp hammock", html`<path class="a" d="M48 16 90 82H6z"/><path class="b" d="M48 40 66 82H30z"/><path class="c" d="M48 16V8M48 40v42M2 82h92"/>`],
  ["sleeping bag", html`<path class="b" d="M24 26h52c10 0 14 10 14 22s-4 22-14 22H24z"/><circle class="a" cx="24" cy="48" r="22"/><path class="c" d="M24 38a10 10 0 1 1-10 10M52 26v44M70 26v44"/>`],
  ["flask mug pot stove filter", html`<path class="b" d="M36 8h24v18H36z"/><path class="a" d="M34 26h28c5 4 8 9 8 16v38c0 5-3 8-8 8H34c-5 0-8-3-8-8V42c0-7 3-12 8-16z"/><path class="b" d="M26 52h44v14H26z"/>`],
  ["axe knife multi-tool compass", tilted(35, html`<path class="b" d="M44 10h9v78h-9z"/><path class="a" d="M40 14h18v24H40c-6 0-14 6-20 8V6c6 2 14 8 20 8z"/>`)],
  ["rucksack outdoor camp", html`<path class="c" d="M38 16c0-10 20-10 20 0"/><path class="a" d="M22 40c0-16 10-26 26-26s26 10 26 26v40c0 4-3 7-7 7H29c-4 0-7-3-7-7z"/><path class="b" d="M32 56h32v24H32z"/><path class="c" d="M22 42h52M42 56v8M54 56v8"/>`],
  ["notebook", html`<rect class="a" x="20" y="8" width="58" height="80" rx="5"/><path class="b" d="M20 13c0-3 2-5 5-5h8v80h-8c-3 0-5-2-5-5z"/><path class="b" d="M44 22h24v14H44z"/><path class="c" d="M66 48v40M14 24h10M14 40h10M14 56h10M14 72h10"/>`],
  ["pencil pen fineliner marker markers ballpoint", tilted(45, html`<path class="b" d="M40 6h16v14H40z"/><path class="a" d="M40 20h16v48L48 90l-8-22z"/><path class="c" d="M40 28h16M40 68h16M48 28v40"/>`)],
  ["paper document copy office whiteboard", html`<path class="a" d="M22 8h36l18 18v62H22z"/><path class="b" d="M58 8v18h18z"/><path class="c" d="M32 40h34M32 52h34M32 64h22"/>`],
  ["filament", html`<circle class="a" cx="46" cy="48" r="38"/><circle class="b" cx="46" cy="48" r="28"/><circle class="a" cx="46" cy="48" r="11"/><path class="c" d="M46 20c18 0 28 12 28 28M74 48c0 18 8 24 18 24"/>`],
  ["machine machines lathe press planer centre tooling", html`<path class="a" d="M6 66h84v20H6z"/><path class="b" d="M10 26h30v40H10z"/><path class="a" d="M40 40h12v16H40zM68 42h16v24H68z"/><path class="c" d="M52 48h16M18 36h14M18 44h8M16 76h20M60 76h20"/>`],
  ["workshop storage case bin box enclosure", html`<path class="c" d="M34 26v-8h28v8"/><rect class="a" x="10" y="26" width="76" height="56" rx="6"/><path class="b" d="M10 44h76v10H10z"/><path class="b" d="M40 40h16v18H40z"/>`],
  ["tool tools hand power", tilted(45, html`<path class="a" d="M36 8v14l6 5h12l6-5V8a18 18 0 0 1-6 33v28a12 12 0 1 1-12 0V41A18 18 0 0 1 36 8z"/><circle class="b" cx="48" cy="79" r="5"/>`)],
  ["safety", html`<path class="a" d="M48 8l34 12v24c0 22-14 36-34 44-20-8-34-22-34-44V20z"/><path class="b" d="M48 20v56c14-7 23-17 23-33V28z"/><path class="c" d="M34 48l10 10 18-20"/>`],
].map(([words, drawing]) => ({ words: words.split(" "), drawing }));

/** The drawing whose first word comes earliest in the list; whole words only, plurals are listed. */
function drawingOf(text) {
  const found = new Set(text.toLowerCase().split(/[^a-z-]+/));
  return DRAWINGS.find(({ words }) => words.some((word) => found.has(word)))?.drawing;
}

/** A category's colours: one of eight sets in the style sheet, always the same for the same name. */
export function tint(category) {
  let sum = 0;
  for (const character of category) sum = (sum * 37 + character.codePointAt(0)) % 1021;
  return `t${sum % 8}`;
}

const picture = (drawing, category, size) =>
  html`<span class="pic ${size} ${tint(category)}"><svg viewBox="0 0 96 96" aria-hidden="true" focusable="false">${drawing}</svg></span>`;

/** The drawing for a product. `size` is a class of the style sheet. */
export const productPicture = (name, category, size) =>
  picture(drawingOf(name) ?? drawingOf(category) ?? PARCEL, category, size);

/** The drawing for a category. */
export const categoryPicture = (category, size) => picture(drawingOf(category) ?? PARCEL, category, size);

/** The shop's sign: two links that hold each other. */
export const LOGO = html`<svg class="logo" viewBox="0 0 40 40" aria-hidden="true" focusable="false"><path fill="none" stroke="currentColor" stroke-width="5" stroke-linejoin="round" d="M23 12.500 15.500 8 5.500 14v12l10 6 10-6v-5"/><path fill="none" stroke="#e2682a" stroke-width="5" stroke-linejoin="round" d="M17 27.500 24.500 32l10-6V14l-10-6-10 6v5"/></svg>`;

/** The sign as a file of its own. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><path fill="none" stroke="#14342e" stroke-width="5" stroke-linejoin="round" d="M23 12.500 15.500 8 5.500 14v12l10 6 10-6v-5"/><path fill="none" stroke="#e2682a" stroke-width="5" stroke-linejoin="round" d="M17 27.500 24.500 32l10-6V14l-10-6-10 6v5"/></svg>`;

/** The home page's picture: a tool wall. */
export const HERO = html`<svg class="wall" viewBox="0 0 420 260" aria-hidden="true" focusable="false">
<rect x="0" y="0" width="420" height="260" rx="18" fill="#1d473f"/>
<g fill="#2a5a50">${Array.from({ length: 7 }, (_, row) => Array.from({ length: 12 }, (_, column) => html`<circle cx="${20 + column * 34.5}" cy="${20 + row * 36.5}" r="3"/>`))}</g>
${["hammer", "screwdriver", "pliers", "drill", "clamp", "gaffer", "measure", "case"].map(
  (word, index) => html`<g transform="translate(${22 + (index % 4) * 96} ${index < 4 ? 22 : 142})">${drawingOf(word)}</g>`,
)}
</svg>`;
