/** How often the page in the browser asks whether the app is back. */
const PAGE_POLL_MS = 1_000;

/** Shows an error in the browser, and loads the real page as soon as the status is another one. */
export function unavailablePage(options: {
  title: string;
  details: string[];
  status: number;
}): string {
  const { title, details, status } = options;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 60rem; padding: 0 1rem; color-scheme: light dark }
h1 { font-size: 1.25rem }
pre { font: 14px/1.5 ui-monospace, monospace; overflow-x: auto; padding: 1rem; border: 1px solid; white-space: pre-wrap }
</style>
<h1>${escapeHtml(title)}</h1>
${details.map((detail) => `<pre>${escapeHtml(detail)}</pre>`).join('\n')}
<p>This page reloads itself when the app is back.</p>
<script>
async function poll() {
  try {
    const response = await fetch('/health', { cache: 'no-store' })
    if (response.status !== ${status}) return location.reload()
  } catch {}
  setTimeout(poll, ${PAGE_POLL_MS})
}
setTimeout(poll, ${PAGE_POLL_MS})
</script>
`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
