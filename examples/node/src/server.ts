import { createServer, type Server, type ServerResponse } from "node:http";

import { slug } from "./slug.ts";

function answer(response: ServerResponse, status: number, content: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(content)}\n`);
}

/** Returns a server that answers `GET /slug?title=...`, `/version` and `/healthz`; it does not listen yet. */
export function server(version: string): Server {
  return createServer((request, response) => {
    if (request.method !== "GET") {
      answer(response, 405, { error: "only GET is understood" });
      return;
    }
    // The host is never used: a request line has a path only.
    const url = new URL(request.url ?? "/", "http://localhost");
    const title = url.searchParams.get("title");
    if (url.pathname === "/healthz") answer(response, 200, { status: "ok" });
    else if (url.pathname === "/version") answer(response, 200, { version });
    else if (url.pathname !== "/slug") answer(response, 404, { error: "ask for /slug?title=..." });
    else if (!title) answer(response, 400, { error: "title is missing" });
    else answer(response, 200, { title, slug: slug(title) });
  });
}
