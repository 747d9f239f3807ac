// First, because the other imports are compiled, and read variables of the environment, while they are loaded.
import './runner/native/compile-cache.ts';
import './spare/environment.ts';

import { CHANNEL_FD } from '../protocol/channel.ts';
import type { AppToHost, HostToApp } from '../protocol/messages.ts';
import { Link, sendMessage } from '../shared/process/link.ts';
import { App } from './app.ts';
import { options } from './link/app-options.ts';
import { tieToHost } from './link/host-tie.ts';
import { loadMedusa } from './patched-medusa.ts';
import { ModuleChannel } from './runner/module-channel.ts';
import { environment } from './spare/environment.ts';
import { Pace } from './spare/pace.ts';
import { Spare } from './spare/spare.ts';

const SIGTERM_EXIT_CODE = 143;

const { root } = options;
const send = (message: AppToHost) => sendMessage(process, message);
const exit = (code: number) => process.exit(code);
const pace = new Pace();
const spare = environment && new Spare({ root, environment, pace });
const channel = new ModuleChannel(CHANNEL_FD);
const app = new App({ options, spare, channel, loadMedusa, send, exit });

app.code.stackTraces.install();
tieToHost({
  end: (cause) => void app.stop(cause === 'SIGTERM' ? SIGTERM_EXIT_CODE : 0),
  reportStray: app.report,
  pace,
});
new Link<AppToHost, HostToApp>(process, app.handlers);
await app.prepare();
