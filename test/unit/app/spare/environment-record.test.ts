import { beforeEach, describe, expect, it } from 'vitest';
import { EnvironmentRecord } from '../../../../src/app/spare/environment-record.ts';

let env: NodeJS.ProcessEnv;
let record: EnvironmentRecord;
let view: NodeJS.ProcessEnv;

beforeEach(() => {
  env = { STAGE: 'one', OTHER: 'x' };
  record = new EnvironmentRecord(env);
  view = record.createView();
  record.begin('medusa');
});

describe('a variable makes a difference', () => {
  it.each([
    ['was read', () => view.STAGE],
    ['was asked for', () => 'STAGE' in view],
    ['was copied', () => ({ ...view })],
    ['was taken from a list', () => Object.entries(view)],
  ])('if it %s', (_, read) => {
    read();
    record.replace({ STAGE: 'two', OTHER: 'x' });
    expect(record.findDifference('medusa')).toBe('STAGE');
    expect(record.findDifference('config')).toBeUndefined();
  });

  it('if it was looked for and not there', () => {
    void view.NEW;
    record.replace({ ...env, NEW: '' } as Record<string, string>);
    expect(record.findDifference('medusa')).toBe('NEW');
  });

  it('if it was there and is not', () => {
    void view.STAGE;
    record.replace({ OTHER: 'x' });
    expect(record.findDifference('medusa')).toBe('STAGE');
  });

  it('if all names were asked for', () => {
    Object.keys(view);
    record.replace({ STAGE: 'two', OTHER: 'x' });
    expect(record.findDifference('medusa')).toBeUndefined();
    record.replace({ STAGE: 'two', OTHER: 'x', NEW: 'x' });
    expect(record.findDifference('medusa')).toBe('NEW');
    record.replace({ STAGE: 'two' });
    expect(record.findDifference('medusa')).toBe('OTHER');
  });

  it('only in the phase in which it was read', () => {
    record.begin('boot');
    void view.STAGE;
    record.end();
    void view.OTHER;
    record.replace({});
    expect(record.findDifference('medusa')).toBeUndefined();
    expect(record.findDifference('boot')).toBe('STAGE');
  });
});

it('ignores variables that nobody has read', () => {
  void view.STAGE;
  record.replace({ STAGE: 'one', NEW: 'x' });
  expect(record.findDifference('medusa')).toBeUndefined();
  expect(env).toEqual({ STAGE: 'one', NEW: 'x' });
});

it('keeps the variables that packages have set themselves', () => {
  if (view.MODE === undefined) {
    view.MODE = 'set';
  }
  delete view.OTHER;
  expect(view.MODE).toBe('set');
  record.replace({ STAGE: 'two', OTHER: 'y' });
  expect(record.findDifference('medusa')).toBeUndefined();
  record.applyWrites();
  expect(env).toEqual({ STAGE: 'two', MODE: 'set' });
  expect(record.findDifference('medusa')).toBeUndefined();
});

it('tells a variable that a package has set from one of the new environment', () => {
  if (view.MODE === undefined) {
    view.MODE = 'set';
  }
  record.replace({ STAGE: 'one', OTHER: 'x', MODE: 'given' });
  expect(record.findDifference('medusa')).toBe('MODE');
});
