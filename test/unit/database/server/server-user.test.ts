import { describe, expect, it } from 'vitest';
import { parsePasswd } from '../../../../src/database/server/server-user.ts';

describe('parsePasswd', () => {
  it('reads names and numbers, and skips what is no entry', () => {
    const text =
      'root:x:0:0:root:/root:/bin/bash\n# comment\nnobody:x:65534:65534::/:/bin/false\n+::::\n\n';
    expect(parsePasswd(text)).toEqual([
      { name: 'root', uid: 0, gid: 0 },
      { name: 'nobody', uid: 65_534, gid: 65_534 },
    ]);
  });
});
