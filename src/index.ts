export { type MedusaOptions, medusa } from '../plugins/medusa.ts';
export type { MedusaViteApi } from '../plugins/rules.ts';
export type { FileChange, Rule, RuleAction, RuleFile } from './rules/rule.ts';
