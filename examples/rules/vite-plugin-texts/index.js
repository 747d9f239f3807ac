/** Keeps the texts of `src/texts` up to date in the running app. */
export default function texts() {
  /** @type {import('medusa-vite').Rule[]} */
  const rules = [
    {
      name: 'texts',
      match: 'src/texts/*.md',
      action: { reloader: './reloader.js', from: import.meta.url },
    },
  ];
  return { name: 'vite-plugin-texts', api: { medusaVite: { rules } } };
}
