/** The pages: `/` lists jobs, `/jobs/{job_id}` shows one. Both work under any path of a server. */

import { setDefaultServer } from "@milepost/client/elements";
import { JobPage } from "./job-page.js";

// This script is at `assets/page.js` below the server's root.
setDefaultServer(new URL("..", import.meta.url).href);

customElements.define("milepost-job-page", JobPage);
