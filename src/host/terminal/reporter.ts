import pc from 'picocolors';
import type { DevEvent } from '../../protocol/events.ts';
import { describeReason } from '../../protocol/reason.ts';
import type { UpdateResult } from '../../protocol/update.ts';
import type { SerializedError } from '../../shared/serialized-error.ts';
import { completeLocation } from './error-location.ts';
import { toEventError, toUpdateEvent } from './update-event.ts';
import {
  describeError,
  describeFiles,
  describePlace,
  describeTiming,
  describeUpdate,
  isDebugEnabled,
} from './wording.ts';

export type ReadyEvent = Extract<DevEvent, { event: 'ready' }>;

/** Tells a person or a tool everything that the host has to say. */
export interface Reporter {
  ready(event: ReadyEvent): void;
  update(id: number, result: UpdateResult): void;
  /** The app could not boot, or died. */
  failure(error: SerializedError, headline: string): void;
  info(line: string): void;
  warn(line: string): void;
  exit(code: number | null, signal: string | null): void;
}

export interface Output {
  write(text: string): unknown;
  isTTY?: boolean;
  rows?: number;
}

export interface TerminalReporterOptions {
  /** Absolute, posix. */
  root: string;
  clearScreen: boolean;
  color: boolean;
  /** @default process.stdout */
  output?: Output;
  /** @default the current time */
  now?: () => Date;
}

/** One line per update; an error in full, once. */
export function createTerminalReporter(options: TerminalReporterOptions): Reporter {
  const { root, output = process.stdout, now = () => new Date() } = options;
  const colors = pc.createColors(options.color);
  const canClear = options.clearScreen && output.isTTY === true && !process.env.CI;
  /** Whether the latest output is an error or a warning, which a reader must not lose. */
  let isTroubleShown = false;
  /** The error that keeps the latest changes out; cleared when an update succeeds. */
  let lastError: string | undefined;
  let isHmrHintShown = false;

  function print(text: string): void {
    const time = now().toTimeString().slice(0, 8);
    output.write(`${colors.dim(time)} ${colors.cyan('[medusa]')} ${text}\n`);
  }

  function printError(error: SerializedError, headline: string): void {
    const completed = completeLocation(error, root);
    const place = describePlace(completed, root);
    const key = `${place}\n${completed.message}`;
    isTroubleShown = true;
    if (key === lastError) {
      print(colors.red(`still broken: ${place ?? firstLine(completed.message)}`));
      return;
    }
    lastError = key;
    print(colors.red(headline));
    output.write(`${describeError(completed, place)}\n`);
  }

  return {
    ready({ port, hmr, ms }) {
      lastError = undefined;
      isTroubleShown = false;
      print(`Server is ready on port: ${port} ${colors.dim(`(${Math.round(ms)} ms)`)}`);
      if (!hmr && !isHmrHintShown) {
        isHmrHintShown = true;
        print(HMR_HINT);
      }
    },
    update(_id, result) {
      switch (result.type) {
        case 'reloaded':
        case 'restarted':
          // Only for a reload: a restart's own output stands above this line.
          if (canClear && result.type === 'reloaded' && !isTroubleShown) {
            clear(output);
          }
          lastError = undefined;
          isTroubleShown = false;
          print(describeUpdate(result, root).replace(/^\w+/, colors.green));
          if (result.type === 'reloaded' && isDebugEnabled('timing')) {
            print(colors.dim(describeTiming(result.timing)));
          }
          return;
        case 'kept-previous':
          printError(result.error, describeRefusal(result, root));
          return;
        case 'ignored':
          if (result.isUndone) {
            lastError = undefined;
            isTroubleShown = false;
            print(
              colors.green(`mended: ${describeFiles(result.files, root)} is what the app runs`),
            );
          } else if (isDebugEnabled('reload')) {
            const reason = describeReason(result.reason);
            print(colors.dim(`ignored ${describeFiles(result.files, root)}: ${reason}`));
          }
          return;
      }
    },
    failure: printError,
    info: print,
    warn(line) {
      isTroubleShown = true;
      print(colors.yellow(line));
    },
    exit(code, signal) {
      if (signal !== null) {
        print(`the app was ended by ${signal}`);
      } else if (code !== 0) {
        print(colors.red(`the app exited with code ${code}`));
      }
    },
  };
}

export interface JsonReporterOptions {
  /** Absolute, posix. */
  root: string;
  /** @default process.stdout */
  output?: Output;
  /** Gets the text for people. @default process.stderr */
  errorOutput?: Output;
}

/** One event per line on stdout; text for people goes to stderr. */
export function createJsonReporter(options: JsonReporterOptions): Reporter {
  const { root, output = process.stdout, errorOutput = process.stderr } = options;
  const terminal = createTerminalReporter({
    root,
    clearScreen: false,
    color: false,
    output: errorOutput,
  });

  function send(event: DevEvent): void {
    output.write(`${JSON.stringify(event)}\n`);
  }

  return {
    ready(event) {
      send(event);
      terminal.ready(event);
    },
    update(id, result) {
      send(toUpdateEvent(result, { id, root }));
      terminal.update(id, result);
    },
    failure(error, headline) {
      send({ event: 'error', error: toEventError(error, root) });
      terminal.failure(error, headline);
    },
    info: terminal.info,
    warn: terminal.warn,
    exit(code, signal) {
      send({ event: 'exit', code, signal });
      terminal.exit(code, signal);
    },
  };
}

/** The reporter of this process, for a tool or for a person. */
export function createReporter(options: {
  root: string;
  json: boolean;
  clearScreen: boolean;
  /** Gets the text for people. */
  output?: Output;
}): Reporter {
  const { root, json, clearScreen, output } = options;
  const color = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
  return json
    ? createJsonReporter({ root, errorOutput: output })
    : createTerminalReporter({ root, clearScreen, color, output });
}

const HMR_HINT =
  'backend HMR is off, so every change restarts the app; switch it on with ' +
  '`featureFlags: { backend_hmr: true }` in medusa-config, `MEDUSA_FF_BACKEND_HMR=true` or `--hmr`';

/** Clears as Vite does: the screen moves up into the scroll-back, and nothing is lost. */
function clear(output: Output): void {
  const blank = '\n'.repeat(Math.max(0, (output.rows ?? 0) - 2));
  output.write(`${blank}\u001B[1;1H\u001B[0J`);
}

function describeRefusal(
  { files, isDown }: Extract<UpdateResult, { type: 'kept-previous' }>,
  root: string,
): string {
  const what = describeFiles(files, root);
  return isDown
    ? `the app could not be started${files.length > 0 ? ` with ${what}` : ''}; the next save tries again`
    : `kept the previous version: ${what} could not be reloaded`;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
