import path from 'node:path';
import ts from 'typescript';

const FOLDER = path.join(import.meta.dirname, 'generated');

/**
 * The errors that the TypeScript compiler finds in modules that are nowhere on disk, as if they lay
 * in this folder; with their first line.
 */
export function typeErrors(modules: Readonly<Record<string, string>>): readonly string[] {
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const texts = new Map(
    Object.entries(modules).map(([name, text]) => [path.join(FOLDER, name), text]),
  );
  const disk = ts.createCompilerHost(options);
  host.fileExists = (file) => texts.has(file) || disk.fileExists(file);
  host.directoryExists = (folder) => folder === FOLDER || disk.directoryExists?.(folder) === true;
  host.readFile = (file) => texts.get(file) ?? disk.readFile(file);
  host.getSourceFile = (file, languageVersion, ...rest) => {
    const text = texts.get(file);
    return text === undefined
      ? disk.getSourceFile(file, languageVersion, ...rest)
      : ts.createSourceFile(file, text, languageVersion);
  };
  const program = ts.createProgram([...texts.keys()], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ file, start, messageText }) => {
    const place =
      file === undefined
        ? ''
        : `${path.basename(file.fileName)}:${file.getLineAndCharacterOfPosition(start ?? 0).line + 1} `;
    return place + ts.flattenDiagnosticMessageText(messageText, ' ').slice(0, 200);
  });
}
