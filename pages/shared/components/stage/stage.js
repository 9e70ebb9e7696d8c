// The browser half of stage.py: hands each message to the stage, which stands in the modules beside this one.

import { Stage } from "./main.js";
import { component, unpack } from "../wire.js";

export default component(".stage", {
  mount: (element, { data }) => new Stage(element, unpack(data)[0].style, window.location),
  show: (stage, { data }) => stage.show(data),
  stop: (stage) => stage.stop?.(),
});
