/** How the code of an entry becomes a script, and where its compiled code is kept beside it. */

/** `scriptOf` wraps the source of a CommonJS module as Node does. */
export function scriptOf(source: string): string {
  return `(function (exports, require, module, __filename, __dirname) {${source}\n})`;
}

/** `compiledFileOf` returns where the compiled code of `NAME.code.cjs` is, for the Node that runs this. */
export function compiledFileOf(file: string): string {
  return file.replace(/\.cjs$/, `.${process.version}-${process.arch}`);
}
