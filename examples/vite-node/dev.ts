// dev.ts
import 'medusa-vite/serve';
