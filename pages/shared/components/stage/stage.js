// The browser half of stage.py: brings the modules beside this one, which the server has as files, and hands each
// message to the stage.

import { addressOf, component, unpack } from "../wire.js";

// A stage, or what is to become one, is a promise: its modules are on their way.
export default component(".stage", {
  mount: (element, { data }) => open(element, unpack(data)[0]),
  show: (opening, { data }) => opening.then((stage) => stage.element.isConnected && stage.show(data)),
  stop: (opening) => opening.then((stage) => stage.stop?.()),
});

async function open(element, { modules, style }) {
  const { Stage } = await import(addressOf(`${modules}/stage/main.js`));
  return new Stage(element, style, window.location);
}
