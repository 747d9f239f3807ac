/** An entry for `vite-node --watch`, ready to use: starts the backend, with the options of `medusa()`. */
import { serve } from './vite-node.ts';

serve();
