// First, because of what the others read while they are loaded.
import './runner/native/compile-cache.ts';

import { CHANNEL_FD } from '../protocol/channel.ts';
import { App } from './app.ts';
import { Failures } from './failures.ts';
import { options } from './link/app-options.ts';
import { onHostMessage, sendToHost as send } from './link/host-link.ts';
import { tieToHost } from './link/host-tie.ts';
import { loadMedusa } from './load-medusa.ts';
import { ProjectCode } from './project-code.ts';
import { ModuleChannel } from './runner/module-channel.ts';
import { environment } from './spare/environment.ts';
import { Pace } from './spare/pace.ts';
import { Spare } from './spare/spare.ts';

const SIGTERM_EXIT_CODE = 143;

const { root } = options;
const exit = (code: number) => process.exit(code);
const pace = new Pace();
const spare = environment && new Spare({ root, environment, pace });
const failures = new Failures({ spare, send, exit });
const channel = new ModuleChannel(CHANNEL_FD);
const code = new ProjectCode({ root, channel, send, onError: failures.report });
const app = new App({ options, spare, code, failures, loadMedusa, send, exit });

code.installStackTraces();
tieToHost({
  end: (cause) => void app.stop(cause === 'SIGTERM' ? SIGTERM_EXIT_CODE : 0),
  reportStray: failures.report,
  pace,
});
onHostMessage(app.handlers);
await app.prepare();
