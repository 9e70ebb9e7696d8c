// The stage as one HTML file that plays from disk: its own modules, style sheets, font and scene, and its state.

import { asDataUrl, fontFace, ownRules } from "./image_export.js";

const KEPT = [
  "step", "unit", "layer", "direction", "snapshot", "speed", "loop", "stage", "heatmap", "part", "compare", "edits", "ahead",
  "backward", "level",
];
const IMPORT = /\b(from|import) "(\.{1,2}\/[\w/.-]+\.js)"/g;

// Whether the modules can be read again: in an exported page they cannot.
export const possible = import.meta.url.startsWith("http");

// stage: a main.Stage; talk: the text of a talk's file, to be given from that page. The page's text.
export async function asPage({ element, state, given }, talk = null) {
  const modules = await collect(new URL("../main.js", import.meta.url).href), imports = {};
  for (const [address, source] of modules) {
    // A data URL has no siblings, so the modules import each other by bare names.
    const text = source.replace(IMPORT, (_, word, path) => `${word} "${bareName(new URL(path, address).href)}"`);
    imports[bareName(address)] = await asDataUrl(new Blob([text], { type: "text/javascript" }));
  }
  const scene = (await asDataUrl(new Blob([given.bytes]))).split(",")[1];
  const kept = Object.fromEntries(KEPT.map((name) => [name, state[name]]));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Inside an LSTM</title>
<style>
:root { ${themeOf(element)} }
body { margin: 0; background: var(--st-background-color); }
.stage:not(.stage-large) { box-sizing: border-box; height: 100vh; min-height: 600px; padding: 10px 16px; }
${await fontFace(element)}
</style>
<style>
${styles()}
</style>
<script type="importmap">${json({ imports })}</script>
</head>
<body>
<div class="stage"></div>
<script type="application/json" class="scene">${json({ style: given.style, kept, scene, talk })}</script>
<script type="module">
import { Stage } from "lstm/stage/main.js";
import { read } from "lstm/stage/talk/talk_file.js";
const { style, kept, scene, talk } = JSON.parse(document.querySelector(".scene").textContent);
const stage = new Stage(document.querySelector(".stage"), style);
stage.show(Uint8Array.from(atob(scene), (letter) => letter.charCodeAt(0)));
stage.state.set(kept);
if (talk) stage.talk.put(await read(talk));
</script>
</body>
</html>
`;
}

// Of a module, by its address below the folder of all.
const bareName = (address) => `lstm/${address.slice(new URL("../..", import.meta.url).href.length)}`;

// address → source of a module and of all that it imports.
async function collect(address, found = new Map()) {
  if (found.has(address)) return found;
  found.set(address, "");
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} could not be read`);
  found.set(address, await answer.text());
  for (const [, , path] of found.get(address).matchAll(IMPORT)) await collect(new URL(path, address).href, found);
  return found;
}

const styles = () => Array.from(document.querySelectorAll("style"), (sheet) => sheet.textContent)
  .filter((text) => text.includes(".stage-bar")).join("\n");

// The page's theme, which Streamlit keeps in custom properties, as it is now.
function themeOf(element) {
  const names = new Set(), now = getComputedStyle(element);
  for (const { style } of ownRules()) for (const name of style ?? []) if (name.startsWith("--st-")) names.add(name);
  return Array.from(names, (name) => `${name}: ${now.getPropertyValue(name)};`).join(" ");
}

// In a page a "<" in a name must not begin a tag.
const json = (value) => JSON.stringify(value).replaceAll("<", "\\u003c");
