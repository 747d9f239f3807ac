import { medusa } from 'medusa-vite';
import texts from 'vite-plugin-texts';

export default {
  plugins: [
    medusa({
      rules: [
        // Read once, when the process starts.
        { name: 'graphql', match: 'src/graphql/**', action: 'restart' },
        // A generator rewrites it at every build of something else.
        { name: 'generated', match: 'src/generated/**', action: 'ignore' },
        {
          name: 'notices',
          match: 'src/notices/*.ts',
          action: { reloader: './reloaders/notices.ts' },
        },
      ],
    }),
    texts(),
  ],
};
