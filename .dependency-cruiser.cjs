// Which part may import which. `npm run boundaries` fails on an arrow that points the wrong way.
//
//   streams -> core        api, config, protocols, loaders -> core
//   simulator -> types of streams        cli -> everything        nobody -> cli

/** Our own code, as opposed to Node's modules and packages. */
const OURS = "^(src|streams|test|scripts|bench)/";

/** Files that turn plans into SQL text. */
const PURE = "/(dialect|history|sql|books|names|scopes)\\.ts$";

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      comment: "A cycle, of types too, means that two modules are one.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "no-unresolvable",
      comment: "The import leads nowhere: a typing error, or a package that is not installed.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: "no-dev-dependencies",
      comment: "Whoever installs the package does not get its devDependencies.",
      severity: "error",
      from: { path: "^(src|streams)/" },
      to: {
        dependencyTypes: ["npm-dev"],
        dependencyTypesNot: ["npm", "npm-optional", "npm-peer"],
        pathNot: "^node_modules/@types/",
      },
    },
    {
      name: "no-undeclared-packages",
      comment: "The package is there only because another one happens to need it.",
      severity: "error",
      from: { path: "^(src|streams)/" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-unknown"] },
    },
    {
      name: "known-folders-only",
      comment: "A new folder under src/ needs a line here that says what it may import.",
      severity: "error",
      from: {},
      to: { path: "^src/(?!((api|cli|config|core|loaders|protocols|simulator)/|index\\.ts$))" },
    },
    {
      name: "product-without-tests",
      comment: "What is shipped does not import tests, scripts or benchmarks.",
      severity: "error",
      from: { path: "^(src|streams)/" },
      to: { path: "^(test|scripts|bench)/" },
    },
    {
      name: "streams-import-core",
      comment: "A stream is data: it needs the vocabulary of src/core, zod, and its parent stream.",
      severity: "error",
      from: { path: "^streams/" },
      to: { pathNot: ["^streams/", "^src/core/", "^node_modules/zod/"] },
    },
    {
      name: "core-imports-nothing",
      comment: "Core does no I/O: zod, p-limit and node:crypto are all it may need from outside.",
      severity: "error",
      from: { path: "^src/core/" },
      to: { pathNot: ["^src/core/", "^node_modules/(zod|p-limit)/", "^(node:)?crypto$"] },
    },
    {
      name: "parts-import-core",
      comment: "api, config, protocols and loaders know core and themselves, not each other.",
      severity: "error",
      from: { path: "^src/(api|config|loaders|protocols)/" },
      to: { path: OURS, pathNot: "^src/($1|core)/" },
    },
    {
      name: "simulator-stands-alone",
      comment: "A simulator that shared code with the client would share its mistakes.",
      severity: "error",
      from: { path: "^src/simulator/" },
      to: { path: OURS, pathNot: ["^src/simulator/", "^streams/"] },
    },
    {
      name: "simulator-sees-stream-types",
      comment: "Types of the streams are erased; their values are not the simulator's business.",
      severity: "error",
      from: { path: "^src/simulator/" },
      to: { path: "^streams/", dependencyTypesNot: ["type-only", "type-import"] },
    },
    {
      name: "nobody-imports-cli",
      comment: "src/cli assembles the others; nothing can depend on the place that assembles.",
      severity: "error",
      from: { pathNot: "^src/cli/" },
      to: { path: "^src/cli/" },
    },
    {
      name: "dialects-are-pure",
      comment:
        "A dialect turns plans into SQL text: no driver, no Node module, not even their types.",
      severity: "error",
      from: { path: PURE },
      to: { pathNot: OURS },
    },
    {
      name: "dialects-import-types",
      comment:
        "A dialect may import any of our types, but values from src/core, the names of tables and its own parts only.",
      severity: "error",
      from: { path: PURE },
      to: {
        path: OURS,
        pathNot: ["^src/core/", "^src/loaders/table\\.ts$", PURE],
        dependencyTypesNot: ["type-only", "type-import"],
      },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    // Type-only imports are arrows too.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
    },
  },
};
