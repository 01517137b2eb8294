import { registerConnectionConformance } from '@sluice/client/conformance';
import { MemoryFiles } from '../storage/memory-files.ts';
import { WebVfs } from '../storage/web-vfs.ts';
import { testModule } from '../testing/test-module.ts';
import { openWasmConnection } from './open-wasm-connection.ts';

const module = await testModule();
const onFault = (fault: unknown) => {
  throw fault;
};
let opened = 0;

registerConnectionConformance({
  name: 'WebAssembly',
  open: async () => {
    const name = `test-${++opened}`;
    const vfs = new WebVfs(module, { name, files: new MemoryFiles(), onFault });
    return openWasmConnection(module, { file: 'data', vfs: vfs.name, readonly: false });
  },
});
