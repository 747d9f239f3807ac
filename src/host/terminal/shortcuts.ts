import { createInterface } from 'node:readline';
import type { Host } from '../host.ts';
import { openBrowser } from './open-browser.ts';
import type { Reporter } from './reporter.ts';

export interface ShortcutActions {
  restart(): void;
  printUrls(): void;
  openAdmin(): void;
  clear(): void;
  quit(): void;
}

export const SHORTCUTS_HINT = 'press h + enter to show help';

interface Shortcut {
  keys: string[];
  text: string;
  action: keyof ShortcutActions;
}

/** In the order of the help; `rs` is known from nodemon. */
const SHORTCUTS: Shortcut[] = [
  { keys: ['r', 'rs'], text: 'restart the app', action: 'restart' },
  { keys: ['u'], text: 'show the URLs', action: 'printUrls' },
  { keys: ['o'], text: 'open the admin in a browser', action: 'openAdmin' },
  { keys: ['c'], text: 'clear the screen', action: 'clear' },
  { keys: ['q'], text: 'quit', action: 'quit' },
];

/** Without a person at a terminal, stdin is not meant for the host. */
export function hasShortcuts(json: boolean): boolean {
  return !json && process.stdin.isTTY === true && !process.env.CI;
}

/** A shortcut is a letter and Enter, as in Vite: the terminal's mode stays, and needs no repair at the end. */
export function bindShortcuts({
  actions,
  print,
  input = process.stdin,
}: {
  actions: ShortcutActions;
  print(line: string): void;
  input?: NodeJS.ReadableStream;
}): void {
  // SIGHUP reports a closed terminal.
  input.on('error', () => {});
  createInterface({ input }).on('line', (line) => {
    const key = line.trim().toLowerCase();
    if (key === 'h') {
      print(helpText());
      return;
    }
    const shortcut = SHORTCUTS.find(({ keys }) => keys.includes(key));
    if (shortcut) {
      actions[shortcut.action]();
    }
  });
}

const CLEAR_SCREEN = '\u001B[2J\u001B[3J\u001B[H';

/** Binds the keys to the current host, which another host may replace. */
export function bindHostShortcuts(
  host: () => Host | undefined,
  { reporter, quit }: { reporter: Reporter; quit: () => void },
): void {
  bindShortcuts({
    print: (line) => reporter.info(line),
    actions: {
      restart: () => host()?.restart({ type: 'key' }),
      printUrls() {
        const { url, adminUrl } = host() ?? {};
        reporter.info(`app: ${url}${adminUrl === undefined ? '' : `, admin: ${adminUrl}`}`);
      },
      openAdmin() {
        const adminUrl = host()?.adminUrl;
        if (adminUrl === undefined) {
          reporter.info('the admin is switched off, or the app has not been up yet');
          return;
        }
        void openBrowser(adminUrl).then((isOpen) => {
          reporter.info(
            isOpen ? `opened ${adminUrl}` : `no browser could be started: open ${adminUrl}`,
          );
        });
      },
      clear: () => process.stdout.write(CLEAR_SCREEN),
      quit,
    },
  });
}

function helpText(): string {
  const rows = SHORTCUTS.map(({ keys, text }) => `  press ${keys[0]} + enter to ${text}`);
  return ['shortcuts', ...rows].join('\n');
}
