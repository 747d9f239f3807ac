/** The whole of an entry for `vite-node --watch`: starts the backend, with the options of `medusa()`. */
import { serve } from './vite-node.ts';

serve();
