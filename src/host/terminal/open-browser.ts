import { spawn } from 'node:child_process';

/** Resolves to whether a browser could be started; `BROWSER` names another browser, as for Vite. */
export function openBrowser(url: string): Promise<boolean> {
  const { command, args } = browserCommand(url);
  return new Promise((resolve) => {
    const browser = spawn(command, args, { stdio: 'ignore', detached: true, windowsHide: true });
    browser.once('error', () => resolve(false));
    browser.once('spawn', () => {
      browser.unref();
      resolve(true);
    });
  });
}

function browserCommand(url: string): { command: string; args: string[] } {
  const { BROWSER } = process.env;
  if (BROWSER) {
    return { command: BROWSER, args: [url] };
  }
  switch (process.platform) {
    case 'darwin':
      return { command: 'open', args: [url] };
    case 'win32':
      return { command: 'rundll32', args: ['url.dll,FileProtocolHandler', url] };
    default:
      return { command: 'xdg-open', args: [url] };
  }
}
