// vite.config.ts
import { medusa } from 'medusa-vite';

export default { plugins: [medusa()] };
