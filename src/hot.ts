/** Types of `module.hot`, for sources that compile to CommonJS; nothing is imported from here when it runs. */
import type { ViteHotContext } from 'vite/types/hot.d.ts';

declare global {
  namespace NodeJS {
    interface Module {
      /** The same object as `import.meta.hot`; undefined in code that `medusa build` has compiled. */
      readonly hot?: ViteHotContext;
    }
  }
}
