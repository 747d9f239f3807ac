export default async function bench(): Promise<string> {
  return 'v1';
}

export const config = { name: 'bench', schedule: '0 * * * *' };
