import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A browser of the machine. @throws where there is none: a skipped test would look like a passed one. */
export async function launchChromium(): Promise<Browser> {
  const places = [process.env.CHROMIUM_PATH, ...PLACES].filter((place) => place !== undefined);
  const executablePath = places.find((place) => existsSync(place));
  if (executablePath === undefined) {
    throw new Error(
      `There is no Chromium at any of: ${places.join(', ')}. ` +
        'Install one (Debian: `apt-get install chromium`), or say where it is with CHROMIUM_PATH.',
    );
  }
  return chromium.launch({ executablePath, args: FLAGS });
}
