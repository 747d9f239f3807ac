import type { Plugin } from 'vite';

export default function texts(): Plugin;
