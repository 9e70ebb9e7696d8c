// The browser half of stage.py: brings the stage's modules, which the server has as files, and hands them each message.

const stages = new WeakMap(); // element -> a promise of its Stage

export default function ({ data, parentElement }) {
  const element = parentElement.querySelector(".stage");
  const { path, look, bytes } = read(data);
  if (!stages.has(element)) stages.set(element, open(element, path, look));
  stages.get(element).then((stage) => element.isConnected && stage.show(bytes));
  // Streamlit also runs the cleanup of an overtaken call while the stage is still on the page.
  return () => { if (!element.isConnected) stages.get(element).then((stage) => stage.stop?.()); };
}

async function open(element, path, look) {
  const root = document.querySelector('script[src*="static/js/"]').src.split("static/js/")[0];
  const { Stage } = await import(`${root}${path}/main.js`);
  return new Stage(element, look, window.location);
}

// Two messages in one: where the modules are and how things look, as JSON; then the scene, as it is.
function read(data) {
  const size = new DataView(data.buffer, data.byteOffset).getUint32(0, true);
  const { path, look } = JSON.parse(new TextDecoder().decode(data.subarray(4, 4 + size)));
  return { path, look, bytes: data.subarray(4 + size) };
}
