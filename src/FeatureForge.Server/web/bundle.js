// Bundles the pinned browser libraries once into ../wwwroot/lib, each with its licence beside it.
import { build } from "esbuild";
import { copyFileSync, mkdirSync } from "node:fs";

const out = "../wwwroot/lib";
mkdirSync(out, { recursive: true });

await build({ entryPoints: ["node_modules/htmx.org/dist/htmx.js"], outfile: `${out}/htmx.js`, minify: true, legalComments: "none", target: "es2022" });
await build({
  entryPoints: ["node_modules/uplot/dist/uPlot.esm.js"],
  outfile: `${out}/uplot.js`,
  bundle: true, format: "esm", minify: true, legalComments: "none", target: "es2022",
});
await build({ entryPoints: ["node_modules/uplot/dist/uPlot.min.css"], outfile: `${out}/uplot.css`, minify: true });
copyFileSync("node_modules/htmx.org/LICENSE", `${out}/htmx.LICENSE.txt`);
copyFileSync("node_modules/uplot/LICENSE", `${out}/uplot.LICENSE.txt`);
