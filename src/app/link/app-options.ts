import { CHILD_OPTIONS_ENV, type ChildOptions } from '../../protocol/messages.ts';

/** What the host told this process when it was forked; nobody else is to see it. */
export const options: ChildOptions = JSON.parse(process.env[CHILD_OPTIONS_ENV] ?? '{}');
delete process.env[CHILD_OPTIONS_ENV];
