// A type and not an interface: Medusa takes options as `Record<string, unknown>`.
export type BrandModuleOptions = {
  /** Follows the name of every brand. */
  mark: string;
  tagline: string;
};
