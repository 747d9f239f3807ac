import type { Notice } from '../lib/notice-board';

const welcome: Notice = { text: (name) => `Welcome, ${name}!` };

export default welcome;
