import type { Notice } from '../lib/notice-board';

const closing: Notice = { text: () => 'We close at six.' };

export default closing;
