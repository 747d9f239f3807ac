export { type MedusaOptions, medusa } from '../plugins/medusa.ts';
export type { MedusaViteApi } from '../plugins/rules.ts';
export { builtInRules } from './rules/built-in.ts';
export type {
  BuiltInReloader,
  FileChange,
  OwnReloader,
  Rule,
  RuleAction,
  RuleFile,
} from './rules/rule.ts';
