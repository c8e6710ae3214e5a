import { createServer } from "node:http";

import { page } from "./page.js";

const api = process.env.API ?? "http://localhost:8080";

createServer(async (request, response) => {
  try {
    const answer = await fetch(`${api}/stock`);
    response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
    response.end(page(await answer.json()));
  } catch (error) {
    console.error(error);
    response.writeHead(502).end("the stock cannot be read\n");
  }
}).listen(8081);
