export type { SluiceDatabase } from '@sluice/client';
