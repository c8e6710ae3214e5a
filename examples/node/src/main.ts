import { argv, env, exit } from "node:process";

import { server } from "./server.ts";

// The bundler puts the version in; run from its sources, the program has none.
declare const APP_VERSION: string | undefined;
const version = typeof APP_VERSION === "string" ? APP_VERSION : "v0.0.0+unknown";

if (argv.includes("--version")) {
  console.log(`slugs ${version}`);
  exit(0);
}

const port = Number(env["PORT"] ?? 8080);
const running = server(version).listen(port, () => {
  console.log(`slugs ${version} listens on port ${String(port)}`);
});
// As the first process of a container it gets no default handler.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => running.close());
