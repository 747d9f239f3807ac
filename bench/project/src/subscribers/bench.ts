export default async function onBenchAsked(): Promise<void> {
  (globalThis as { benchHeard?: (said: string) => void }).benchHeard?.('v1');
}

export const config = { event: 'bench.asked' };
