export { type MedusaOptions, medusa } from '../plugins/medusa.ts';
export type { MedusaViteApi } from '../plugins/rules.ts';
export { builtInRules } from './rules/built-in.ts';
export type {
  BuiltInReloader,
  OwnReloader,
  Rule,
  RuleAction,
  RuleFile,
} from './rules/rule.ts';
export type { FileChange } from './shared/change.ts';
