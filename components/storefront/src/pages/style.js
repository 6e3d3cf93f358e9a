/**
 * The style sheet, served as a file of its own: the content security policy allows no inline style.
 *
 * No web fonts and no pictures are fetched. `--a`, `--b` and `--line` colour the drawings by category.
 */

/** Where the style sheet is. */
export const STYLE_PATH = "/style.css";

export const STYLE = `
:root {
  --ink: #1b2421; --muted: #56615c; --paper: #fff; --ground: #f6f4ee; --edge: #e2ddd1;
  --brand: #14342e; --accent: #b8480f; --accent-dark: #93380a; --good: #1d6b4a; --warn: #8f4b00; --bad: #a3231f;
  --round: 14px; --shadow: 0 1px 2px rgb(27 36 33 / .06), 0 8px 24px -12px rgb(27 36 33 / .18);
  color-scheme: light;
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; min-height: 100vh; display: flex; flex-direction: column; background: var(--ground); color: var(--ink);
  font: 400 1rem/1.55 "Inter", ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: break-word;
}
main { flex: 1; width: 100%; padding-block: 1.75rem 4rem; }
.wide { max-width: 76rem; margin-inline: auto; padding-inline: 1.25rem; }
h1, h2 { line-height: 1.15; letter-spacing: -.02em; text-wrap: balance; margin: 0; }
h1 { font-size: clamp(1.6rem, 1.2rem + 1.6vw, 2.25rem); }
h2 { font-size: 1.35rem; }
p { margin: 0; }
a { color: inherit; text-underline-offset: .2em; text-decoration-thickness: 1px; }
ul, ol { list-style: none; margin: 0; padding: 0; }
dl, dd { margin: 0; }
small { font-size: .85rem; font-weight: 400; color: var(--muted); }
input, select, button { font: inherit; color: inherit; }
:focus-visible { outline: 3px solid var(--focus, #1f6fd1); outline-offset: 2px; border-radius: 6px; }
.top, .hero { --focus: #f2a33a; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: 1rem; top: -4rem; background: #fff; padding: .5rem 1rem; z-index: 9; }
.skip:focus { top: .5rem; }
.muted { color: var(--muted); font-size: .92rem; }

.top { background: var(--brand); color: #fff; position: sticky; top: 0; z-index: 5; }
.bar { display: flex; align-items: center; gap: 1.5rem; min-height: 4.25rem; }
.brand { display: flex; align-items: center; gap: .65rem; text-decoration: none; font-weight: 700; font-size: 1.15rem; letter-spacing: -.02em; white-space: nowrap; }
.brand em { font-style: normal; font-weight: 400; opacity: .85; }
.logo { width: 2.1rem; height: 2.1rem; }
.search { flex: 1; min-width: 0; display: flex; max-width: 34rem; margin-inline: auto; }
.search input { flex: 1; width: 100%; min-width: 0; border: 0; border-radius: 10px 0 0 10px; padding: .6rem .95rem; background: #fff; color: var(--ink); }
.search button { border: 0; border-radius: 0 10px 10px 0; padding: .6rem 1rem; background: #2c5a50; color: #fff; cursor: pointer; font-weight: 600; }
.search button:hover { background: #376c60; }
.basket { display: flex; align-items: center; gap: .5rem; text-decoration: none; font-weight: 600; padding: .5rem .25rem; }
.basket svg { width: 1.5rem; height: 1.5rem; fill: currentColor; }
.basket b { background: #f2a33a; color: #2b1a00; border-radius: 99px; min-width: 1.5rem; padding: 0 .4rem; text-align: center; font-size: .85rem; line-height: 1.5rem; }
.bottom { background: #ece8de; border-top: 1px solid var(--edge); color: var(--muted); font-size: .92rem; }
.bottom .wide { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 1rem 3rem; padding-block: 1.75rem; }
.bottom strong { color: var(--ink); }

.button {
  display: inline-block; border: 1px solid transparent; border-radius: 10px; padding: .65rem 1.15rem; cursor: pointer;
  background: var(--accent); color: #fff; font-weight: 600; text-decoration: none; line-height: 1.3;
}
.button:hover { background: var(--accent-dark); }
.button.quiet { background: #fff; border-color: #cfc8b9; color: var(--ink); }
.button.quiet:hover { border-color: var(--ink); }
.link { border: 0; background: none; padding: .3rem; cursor: pointer; text-decoration: underline; text-underline-offset: .2em; color: var(--muted); }
.link:hover { color: var(--ink); }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem; }
.actions.center { justify-content: center; }

.hero { display: grid; grid-template-columns: 1.1fr 1fr; gap: 2rem; align-items: center; background: var(--brand); color: #fff; border-radius: 22px; padding: clamp(1.5rem, 4vw, 3.5rem); margin-bottom: 1.75rem; }
.hero h1 { font-size: clamp(2.4rem, 1.4rem + 4.2vw, 4.1rem); letter-spacing: -.035em; }
.hero p { color: #d5e2dc; font-size: 1.12rem; max-width: 32rem; margin-top: 1rem; text-wrap: pretty; }
.hero .actions { margin-top: 1.75rem; }
.wall { width: 100%; height: auto; --a: #f7f3e8; --b: #e9884c; --line: #10211d; }

.shelves { scroll-margin-top: 6rem; }
.shelves ul { display: grid; grid-template-columns: repeat(auto-fill, minmax(13.5rem, 1fr)); gap: .75rem; }
.shelves a { display: flex; align-items: center; gap: .85rem; height: 100%; background: var(--paper); border: 1px solid var(--edge); border-radius: var(--round); padding: .6rem; text-decoration: none; line-height: 1.25; }
.shelves a:hover { border-color: var(--brand); }
.shelf { margin-top: 3rem; }
.shelf-head { display: flex; align-items: baseline; justify-content: space-between; gap: 1rem; margin-bottom: 1rem; }
.shelf-head a { white-space: nowrap; font-weight: 600; color: var(--accent); text-decoration: none; }
.shelf-head a:hover { text-decoration: underline; }
.shelf-title { display: flex; align-items: center; gap: 1rem; margin: .75rem 0 1.5rem; }
.crumbs { color: var(--muted); font-size: .92rem; }
.crumbs span { opacity: .5; margin-inline: .25rem; }
.more { text-align: center; margin-top: 2.5rem; }

.pic { display: grid; place-items: center; background: var(--back); border-radius: 10px; flex: none; }
.pic svg { width: 62%; height: auto; }
.pic.small { width: 3.75rem; height: 3.75rem; }
.pic.small svg { width: 68%; }
.pic.large { aspect-ratio: 4 / 3; }
.pic.large svg { width: 46%; }
.pic.huge { aspect-ratio: 1; border-radius: 22px; }
.pic.huge svg { width: 56%; }
.a, .b, .c { stroke: var(--line); stroke-width: 2.5; stroke-linejoin: round; stroke-linecap: round; }
.a { fill: var(--a); } .b { fill: var(--b); } .c { fill: none; }
.t0 { --back: #e4eee7; --a: #fff; --b: #8fc0a3; --line: #1f4536; }
.t1 { --back: #fbe9dc; --a: #fff; --b: #f0a472; --line: #57290c; }
.t2 { --back: #e3ecf6; --a: #fff; --b: #8db3dc; --line: #1d3b5c; }
.t3 { --back: #fbf0d2; --a: #fff; --b: #eec35b; --line: #503a06; }
.t4 { --back: #ece7f5; --a: #fff; --b: #b39fd8; --line: #382759; }
.t5 { --back: #f9e4e4; --a: #fff; --b: #e39a98; --line: #5a1f1e; }
.t6 { --back: #dff0f0; --a: #fff; --b: #7fc0c2; --line: #12474a; }
.t7 { --back: #ebe9e2; --a: #fff; --b: #bdb7a5; --line: #3a362a; }

.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(15.5rem, 1fr)); gap: 1.1rem; }
.card { position: relative; display: flex; flex-direction: column; background: var(--paper); border: 1px solid var(--edge); border-radius: var(--round); padding: .75rem; transition: box-shadow .15s; }
.card:hover { box-shadow: var(--shadow); }
.face { text-decoration: none; }
.face::after { content: ""; position: absolute; inset: 0; border-radius: var(--round); }
.face .name { display: block; font-weight: 600; line-height: 1.3; margin-top: .8rem; text-wrap: pretty; }
.card:hover .name { text-decoration: underline; text-underline-offset: .2em; text-decoration-thickness: 1px; }
.sku { color: var(--muted); font-size: .82rem; letter-spacing: .02em; margin-top: .2rem; }
.price { font-weight: 700; font-size: 1.2rem; letter-spacing: -.01em; }
.card .price { margin-top: auto; padding-top: .7rem; }
.foot { display: flex; align-items: center; justify-content: space-between; gap: .5rem; margin-top: .4rem; min-height: 2.4rem; }
.foot form { position: relative; z-index: 1; }
.foot button { border: 1px solid var(--brand); background: #fff; color: var(--brand); border-radius: 9px; padding: .4rem 1rem; font-weight: 600; cursor: pointer; }
.foot button:hover { background: var(--brand); color: #fff; }
.stock { color: var(--good); font-size: .88rem; font-weight: 500; }
.stock::before { content: ""; display: inline-block; width: .5rem; height: .5rem; border-radius: 50%; background: currentColor; margin-right: .45rem; }
.stock.few { color: var(--warn); } .stock.none { color: var(--bad); }

.product { display: grid; grid-template-columns: 1fr 1fr; gap: clamp(1.5rem, 4vw, 4rem); margin-top: 1.25rem; align-items: start; }
.product .price { font-size: 2rem; margin-block: 1rem .5rem; }
.product .description { margin-top: 1rem; font-size: 1.08rem; max-width: 36rem; text-wrap: pretty; }
.buy { display: flex; flex-wrap: wrap; align-items: center; gap: .75rem; margin-block: 1.75rem 1rem; }
.buy label { font-weight: 600; }
input[type=number], .pay input, select { border: 1px solid #b9b2a2; border-radius: 10px; padding: .6rem .75rem; background: #fff; }
input[type=number] { width: 6.5rem; }

.empty, .trouble { background: var(--paper); border: 1px dashed #cfc8b9; border-radius: 22px; padding: clamp(2rem, 6vw, 4rem) 1.5rem; text-align: center; margin-top: 1.25rem; }
.empty p, .trouble p { margin-top: .75rem; color: var(--muted); }
.empty .actions, .trouble .actions { justify-content: center; margin-top: 1.75rem; }
.trouble { border-style: solid; max-width: 44rem; margin-inline: auto; }
.trouble .code { font-size: 3.5rem; font-weight: 800; letter-spacing: -.04em; color: #d8d1c0; margin: 0; line-height: 1; }
.trouble h1 { margin-top: .5rem; }
.trouble .button { color: #fff; } .trouble .button.quiet { color: var(--ink); }
.notice { background: #fff4dc; border: 1px solid #ecca82; border-radius: var(--round); padding: 1rem 1.25rem; margin-top: 1.25rem; }
.notice h2 { font-size: 1.1rem; margin-bottom: .35rem; }
.notice li { margin-top: .35rem; }
.notice form { display: inline; }
.notice .link { color: var(--accent); font-weight: 600; }

.columns { display: grid; grid-template-columns: 1fr 23rem; gap: 2rem; align-items: start; margin-top: 1.5rem; }
.lines { background: var(--paper); border: 1px solid var(--edge); border-radius: 18px; }
.lines.alone { margin-top: 1.25rem; }
.clear { text-align: right; margin-top: .5rem; }
.lines > li { display: grid; grid-template-columns: auto 1fr auto; gap: 1rem; padding: 1.15rem 1.25rem; }
.lines > li + li { border-top: 1px solid var(--edge); }
.lines .name { font-weight: 600; text-decoration: none; }
.lines .name:hover { text-decoration: underline; }
.lines .amount { font-weight: 700; white-space: nowrap; }
.edit { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem 1rem; margin-top: .7rem; }
.edit form { display: flex; gap: .5rem; align-items: center; }
.edit .button, .tier .button { padding: .45rem .85rem; }
.edit input[type=number] { padding: .4rem .6rem; }
.summary { background: var(--paper); border: 1px solid var(--edge); border-radius: 18px; padding: 1.35rem; position: sticky; top: 5.5rem; display: grid; gap: 1.35rem; }
.tier { display: grid; grid-template-columns: 1fr auto; gap: .4rem .5rem; }
.tier label, .pay label { grid-column: 1 / -1; font-weight: 600; font-size: .92rem; }
.pay { display: grid; gap: .5rem; border-top: 1px solid var(--edge); padding-top: 1.35rem; }
.pay .buy-now { margin-top: .5rem; padding-block: .85rem; font-size: 1.05rem; }
.sums > div { display: flex; justify-content: space-between; gap: 1.5rem; padding-block: .28rem; }
.sums dd { white-space: nowrap; }
.sums dt::first-letter { text-transform: uppercase; }
.sums .minus { color: var(--good); } .sums .plus { color: var(--warn); }
.sums .total { border-top: 2px solid var(--ink); margin-top: .5rem; padding-top: .65rem; font-weight: 800; font-size: 1.25rem; letter-spacing: -.01em; }
.sums.own { font-size: .9rem; margin-top: .3rem; }
.sums.own > div { justify-content: flex-start; gap: .75rem; padding: 0; }

.thanks { text-align: center; max-width: 36rem; margin: 0 auto 1.75rem; text-wrap: balance; }
.thanks strong { display: block; font-size: clamp(1.6rem, 1.2rem + 1.6vw, 2.25rem); letter-spacing: -.02em; line-height: 1.2; margin-bottom: .4rem; }
/* The mask cuts the teeth, and would cut a shadow too: that is the wrapper's. */
.paper { filter: drop-shadow(0 0 1px rgb(27 36 33 / .35)) drop-shadow(0 14px 22px rgb(27 36 33 / .16)); }
.receipt {
  max-width: 27rem; margin-inline: auto; background: #fffefb; padding: 2.25rem clamp(1.25rem, 5vw, 2.25rem) 2.75rem;
  font: 400 .9rem/1.5 ui-monospace, "SF Mono", "Cascadia Mono", "Segoe UI Mono", "Liberation Mono", Menlo, Consolas, monospace;
  --tooth: conic-gradient(from -45deg at bottom, #0000, #000 1deg 89deg, #0000 90deg) 50% / 14px 100%;
  -webkit-mask: var(--tooth); mask: var(--tooth);
}
.receipt header { text-align: center; border-bottom: 1px dashed #aaa595; padding-bottom: 1.1rem; }
.receipt header .logo { color: var(--brand); width: 2.6rem; height: 2.6rem; }
.receipt h1 { font-size: 1.2rem; letter-spacing: .02em; margin-top: .35rem; }
.receipt header p { text-transform: uppercase; letter-spacing: .22em; font-size: .78rem; color: var(--muted); margin-top: .2rem; }
.facts { padding-block: 1rem; border-bottom: 1px dashed #aaa595; }
.facts > div { display: flex; justify-content: space-between; gap: 1.25rem; }
.facts dt { color: var(--muted); }
.facts dd { text-align: right; min-width: 0; overflow-wrap: anywhere; }
.facts .id { font-size: .82rem; }
.items { padding-block: 1rem; border-bottom: 1px dashed #aaa595; display: grid; gap: .8rem; }
.item { display: flex; justify-content: space-between; gap: 1.25rem; }
.item .name { font-weight: 600; }
.item .amount { white-space: nowrap; }
.detail { color: var(--muted); font-size: .84rem; }
.receipt .sums { padding-top: .8rem; }
.receipt .sums.own { padding-top: 0; font-size: .84rem; }
.receipt .sums.own > div { justify-content: space-between; }
.receipt .stripes { display: block; width: 100%; height: 3rem; margin-top: 1.75rem; fill: var(--ink); }
.receipt .end { text-align: center; margin-top: .9rem; color: var(--muted); }

@media (max-width: 60rem) {
  .columns { grid-template-columns: 1fr; }
  .summary { position: static; }
}
@media (max-width: 46rem) {
  .bar { flex-wrap: wrap; gap: .35rem 1rem; padding-block: .65rem .8rem; justify-content: space-between; }
  .search { order: 3; flex-basis: 100%; max-width: none; }
  .top { position: static; }
  .hero { grid-template-columns: 1fr; }
  .shelves ul { grid-template-columns: 1fr 1fr; gap: .55rem; }
  .shelves a { flex-direction: column; align-items: flex-start; gap: .5rem; }
  .grid { grid-template-columns: 1fr 1fr; gap: .6rem; }
  .card { padding: .55rem; }
  .card .name { font-size: .95rem; }
  .foot { flex-wrap: wrap; }
  .product { grid-template-columns: 1fr; }
  .pic.huge { aspect-ratio: 16 / 10; } .pic.huge svg { width: 36%; }
  .lines > li { grid-template-columns: auto 1fr; padding: 1rem; gap: .75rem; }
  .lines .pic.small { width: 3rem; height: 3rem; }
  .edit { gap: .5rem; } .edit .button { padding-inline: .65rem; } .edit input[type=number] { width: 4.75rem; }
  .lines .amount { grid-column: 2; margin-top: -.35rem; }
}
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } .card { transition: none; } }
@media print {
  .top, .bottom, .skip, .actions, .thanks { display: none; }
  body { background: #fff; } .paper { filter: none; } .receipt { mask: none; -webkit-mask: none; }
}
`;

/** A fingerprint of the sheet: a browser that cached an older one asks anew. */
function fingerprint(text) {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash.toString(16);
}

/** The address that pages link to. */
export const STYLE_LINK = `${STYLE_PATH}?${fingerprint(STYLE)}`;
