/** Types for front-end code; nothing is imported from here when it runs. */
import 'vite/types/customEvent.d.ts';
import type { UpdateEvent } from './protocol/events.ts';

declare module 'vite/types/customEvent.d.ts' {
  interface CustomEventMap {
    'medusa-vite:update': UpdateEvent;
  }
}
