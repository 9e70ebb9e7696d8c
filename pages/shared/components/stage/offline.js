// The stage as one HTML file that plays from disk: its own modules, style sheets, font and scene, and the moment it shows.

import { asDataUrl, fontFace, ownRules } from "./picture.js";

const KEPT = ["step", "unit", "layer", "direction", "moment", "speed", "loop", "stage", "picture", "part", "compare"];
const IMPORT = /\b(from|import) "\.\/([\w-]+\.js)"/g;

// Whether the modules can be read again: in a page that was taken away they cannot.
export const possible = import.meta.url.startsWith("http");

// stage: a main.Stage. The page's text.
export async function asPage({ element, state, given }) {
  const modules = await collect("main.js"), imports = {};
  for (const [name, source] of modules) {
    // A data address has no neighbours, so the modules call each other by bare names.
    const text = source.replace(IMPORT, '$1 "stage/$2"');
    imports[`stage/${name}`] = await asDataUrl(new Blob([text], { type: "text/javascript" }));
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
<script type="application/json" class="scene">${json({ look: given.look, kept, scene })}</script>
<script type="module">
import { Stage } from "stage/main.js";
const { look, kept, scene } = JSON.parse(document.querySelector(".scene").textContent);
const stage = new Stage(document.querySelector(".stage"), look);
stage.show(Uint8Array.from(atob(scene), (letter) => letter.charCodeAt(0)));
stage.state.set(kept);
</script>
</body>
</html>
`;
}

// name → source of a module and of all that it imports.
async function collect(name, found = new Map()) {
  if (found.has(name)) return found;
  found.set(name, "");
  const answer = await fetch(new URL(name, import.meta.url));
  if (!answer.ok) throw new Error(`${name} could not be read`);
  found.set(name, await answer.text());
  for (const [, , other] of found.get(name).matchAll(IMPORT)) await collect(other, found);
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
