import type { SerializedError } from '../shared/serialized-error.ts';

/** What Medusa's admin loader wants the bundler to serve, in a form that can be sent. */
export interface AdminRequest {
  /** Absolute path of the file that is `@medusajs/admin-bundler`. */
  bundler: string;
  /** The options but for functions, by `v8.serialize`, in base64: JSON would lose `Infinity`. */
  options: string;
  /** Names of the options that are functions, such as `vite`. Only the config itself has them. */
  functions: string[];
  /** The environment as the config has left it: the bundler and Vite read settings there. */
  env: NodeJS.ProcessEnv;
}

export type AdminState =
  | { type: 'starting' }
  /** It serves HTTP on this port of the loopback interface. */
  | { type: 'ready'; port: number }
  | { type: 'failed'; error: SerializedError };

export interface HostToAdmin {
  type: 'start';
  id: number;
  /** Absolute, posix, real path of the project. */
  root: string;
  request: Omit<AdminRequest, 'env'>;
  /** Where browsers expect the HMR socket, after an earlier admin process; unless the user has set it. */
  hmrPort: number | undefined;
}

export type AdminToHost =
  | { type: 'ready'; id: number; address: AdminAddress }
  /** It could not start; the process exits right after. */
  | { type: 'failed'; id: number; error: SerializedError }
  /** A file outside `node_modules` that Node has loaded natively for the config. */
  | { type: 'native'; file: string };

export interface AdminReplies {
  start: 'ready' | 'failed';
}

export interface AdminAddress {
  /** Of its HTTP, on the loopback interface. */
  port: number;
  /** Of its HMR socket, to which browsers connect by themselves. */
  hmrPort: number;
}
