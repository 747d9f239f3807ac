export const countries: string[] = ['dk', 'fr'];
