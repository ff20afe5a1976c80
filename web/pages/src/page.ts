/** The pages: `/` lists jobs, `/jobs/{job_id}` shows one. Both work under any path of a server. */

import { configure } from "@milepost/client/elements";
import { JobPage } from "./job-page.js";
import { KeyHelp } from "./key-help.js";
import { ListPage } from "./list-page.js";
import { ShareSheet } from "./share-sheet.js";
import { followSharedLinks, takeSharedToken } from "./shared-token.js";
import { SignIn } from "./sign-in.js";

const token = takeSharedToken();
followSharedLinks();

// This script is at `assets/page.js` below the server's root.
configure({ server: new URL("..", import.meta.url).href, ...(token ? { sharedToken: token } : {}) });

customElements.define("milepost-key-help", KeyHelp);
customElements.define("milepost-share-sheet", ShareSheet);
customElements.define("milepost-sign-in", SignIn);
customElements.define("milepost-list-page", ListPage);
customElements.define("milepost-job-page", JobPage);
